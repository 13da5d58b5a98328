"""What `portal env` exports, and that a shell reads it as it was meant."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.environment import exports, path, shell, without_ours
from toolchain.paths import Paths

PATHS = Paths(Path("/c/portals"), Path("/d/portals"))
FIRST = (Path("/c/portals/venv-1/bin"), Path("/c/portals/bin-packages-1"))
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def test_a_plain_environment():
    assert exports(PATHS, {"PATH": SYSTEM}, FIRST, own_plugins=True) == {
        "PATH": f"/c/portals/venv-1/bin:/c/portals/bin-packages-1:{SYSTEM}",
        "PULUMI_HOME": "/d/portals/pulumi",
        "PULUMI_BACKEND_URL": "file:///d/portals/state?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": "/d/portals/passphrase",
        "PULUMI_PARALLEL": "32",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
    }


def test_official_plugins_may_be_acquired():
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in exports(PATHS, {}, FIRST, own_plugins=False)


@pytest.mark.parametrize("name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_an_operators_passphrase_stays(name):
    assert name not in exports(PATHS, {name: "x"}, FIRST, own_plugins=True)
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in exports(PATHS, {name: "x"}, FIRST, own_plugins=True)


def test_an_operators_backend_stays():
    env = {"PULUMI_BACKEND_URL": "s3://stacks"}
    assert exports(PATHS, env, FIRST, own_plugins=True)["PULUMI_BACKEND_URL"] == "s3://stacks"


def test_twice_is_as_once():
    once = exports(PATHS, {"PATH": "/opt/x:/usr/bin"}, FIRST, own_plugins=True)
    assert exports(PATHS, once, FIRST, own_plugins=True) == {
        name: value for name, value in once.items() if name != "PULUMI_CONFIG_PASSPHRASE_FILE"
    }


def test_older_versions_leave_the_path():
    before = f"/c/portals/venv-0/bin:/c/portals/bin-official-0:{SYSTEM}"
    assert path(PATHS, before, FIRST) == f"/c/portals/venv-1/bin:/c/portals/bin-packages-1:{SYSTEM}"
    assert without_ours(PATHS, before) == SYSTEM


@pytest.mark.parametrize("before", ["", ":", "/usr/bin::/bin:"])
def test_no_part_of_the_path_is_the_current_directory(before):
    assert all(path(PATHS, before, FIRST).split(":"))


def test_a_users_path_gets_the_system_folders_behind_it():
    assert path(PATHS, "/usr/bin:/bin", ()) == "/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin"


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_shell_reads_any_value_as_it_is(value):
    script = shell({"VALUE": value}) + 'printf "%s" "$VALUE"'
    said = subprocess.run(["/bin/sh", "-c", script], env={}, capture_output=True, check=True, timeout=20)
    assert said.stdout == os.fsencode(value)
