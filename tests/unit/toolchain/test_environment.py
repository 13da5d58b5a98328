"""What `portal env` exports, and that a shell reads it as it was meant."""

import os
import pwd
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolchain.environment import direct, exports, path, shell, without_ours
from toolchain.paths import Paths

PATHS = Paths(Path("/c/portals"), Path("/d/portals"))
FIRST = (Path("/c/portals/venv-1/bin"), Path("/c/portals/bin-packages-1"))
PROXIED = {"https_proxy": "http://p:3128", "no_proxy": "a", "HOME": "/h"}
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def test_a_plain_environment() -> None:
    assert exports(PATHS, {"PATH": SYSTEM, "HOME": "/h"}, FIRST, own_plugins=True) == {
        "PATH": f"/c/portals/venv-1/bin:/c/portals/bin-packages-1:{SYSTEM}",
        "PULUMI_HOME": "/d/portals/pulumi",
        "PULUMI_BACKEND_URL": "file:///d/portals/state?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": "/d/portals/passphrase",
        "PULUMI_PARALLEL": "32",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PYTHONUTF8": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
    }


def test_official_plugins_may_be_acquired() -> None:
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in exports(PATHS, {}, FIRST, own_plugins=False)


@pytest.mark.parametrize("name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_an_operators_passphrase_stays(name: str) -> None:
    assert name not in exports(PATHS, {name: "x"}, FIRST, own_plugins=True)
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in exports(PATHS, {name: "x"}, FIRST, own_plugins=True)


def test_an_operators_backend_stays() -> None:
    env = {"PULUMI_BACKEND_URL": "s3://stacks"}
    assert exports(PATHS, env, FIRST, own_plugins=True)["PULUMI_BACKEND_URL"] == "s3://stacks"


def test_twice_is_as_once() -> None:
    once = exports(PATHS, {"PATH": "/opt/x:/usr/bin", **PROXIED}, FIRST, own_plugins=True)
    assert exports(PATHS, {**PROXIED, **once}, FIRST, own_plugins=True) == {
        name: value for name, value in once.items() if name != "PULUMI_CONFIG_PASSPHRASE_FILE"
    }


def test_a_home_is_found_where_none_is_set() -> None:
    assert exports(PATHS, {}, FIRST, own_plugins=True)["HOME"] == pwd.getpwuid(os.getuid()).pw_dir
    assert "HOME" not in exports(PATHS, {"HOME": "/h"}, FIRST, own_plugins=True)


HERE = "localhost,127.0.0.1,::1"


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_this_machine_is_asked_past_a_proxy(name: str) -> None:
    assert direct({name: "http://p:3128"}) == dict.fromkeys(["no_proxy", "NO_PROXY", "no_grpc_proxy"], HERE)


@pytest.mark.parametrize(
    ("environ", "usual", "upper", "grpc"),
    [
        ({"no_proxy": "a.example, b"}, f"a.example,b,{HERE}", f"a.example,b,{HERE}", f"a.example,b,{HERE}"),
        ({"NO_PROXY": "a"}, f"a,{HERE}", f"a,{HERE}", f"a,{HERE}"),
        ({"no_proxy": "a", "NO_PROXY": "b"}, f"a,{HERE}", f"b,{HERE}", f"a,{HERE}"),
        ({"no_proxy": "a", "no_grpc_proxy": "b"}, f"a,{HERE}", f"a,{HERE}", f"b,{HERE}"),
        ({"no_proxy": "127.0.0.1"}, *["127.0.0.1,localhost,::1"] * 3),
        # To requests a star is one where it stands alone; gRPC knows none.
        ({"no_proxy": "*"}, "*", "*", HERE),
    ],
)
def test_what_an_operator_excepts_from_a_proxy_stays(
    environ: dict[str, str], usual: str, upper: str, grpc: str
) -> None:
    made = direct({"https_proxy": "http://p:3128", **environ})
    assert made == {"no_proxy": usual, "NO_PROXY": upper, "no_grpc_proxy": grpc}


def test_without_a_proxy_nothing_is_excepted() -> None:
    assert direct({"no_proxy": "a", "http_proxy": ""}) == {}


def test_older_versions_leave_the_path() -> None:
    before = f"/c/portals/venv-0/bin:/c/portals/bin-official-0:{SYSTEM}"
    assert path(PATHS, before, FIRST) == f"/c/portals/venv-1/bin:/c/portals/bin-packages-1:{SYSTEM}"
    assert without_ours(PATHS, before) == SYSTEM


@pytest.mark.parametrize("before", ["", ":", "/usr/bin::/bin:"])
def test_no_part_of_the_path_is_the_current_directory(before: str) -> None:
    assert all(path(PATHS, before, FIRST).split(":"))


def test_a_users_path_gets_the_system_folders_behind_it() -> None:
    assert path(PATHS, "/usr/bin:/bin", ()) == "/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin"


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_shell_reads_any_value_as_it_is(value: str) -> None:
    script = shell({"VALUE": value}) + 'printf "%s" "$VALUE"'
    completed = subprocess.run(["/bin/sh", "-c", script], env={}, capture_output=True, check=True, timeout=20)
    assert completed.stdout == os.fsencode(value)
