"""Where things lie: from an environment alone."""

import os
import pwd
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.paths import Paths, cache_directory, check, data_directory


@pytest.mark.parametrize(
    ("env", "cache", "data"),
    [
        ({"HOME": "/home/ann"}, "/home/ann/.cache/portals", "/home/ann/.local/share/portals"),
        ({"HOME": "/home/a b"}, "/home/a b/.cache/portals", "/home/a b/.local/share/portals"),
        (
            {"HOME": "/home/ann", "XDG_CACHE_HOME": "/fast", "XDG_DATA_HOME": "/safe"},
            "/fast/portals",
            "/safe/portals",
        ),
        # The specification wants relative ones ignored.
        (
            {"HOME": "/h", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": ""},
            "/h/.cache/portals",
            "/h/.local/share/portals",
        ),
    ],
)
def test_xdg(env: dict[str, str], cache: str, data: str) -> None:
    assert (cache_directory(env), data_directory(env)) == (Path(cache), Path(data))


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_a_home_it_is_the_password_databases(home: dict[str, str]) -> None:
    home_of_user = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert cache_directory(home) == home_of_user / ".cache/portals"
    assert data_directory(home) == home_of_user / ".local/share/portals"


def test_who_has_no_home_at_all_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 4242424)
    with pytest.raises(ToolchainError, match=r"HOME is not set.*user 4242424: set HOME"):
        data_directory({})
    # Who says both needs none.
    both = {"XDG_CACHE_HOME": "/c", "XDG_DATA_HOME": "/d"}
    assert Paths.of(both) == Paths(Path("/c/portals"), Path("/d/portals"))


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=rf"^HOME={tmp_path}/none is not a directory"):
        check({"HOME": f"{tmp_path}/none"})
    check({"HOME": f"{tmp_path}/none", "XDG_CACHE_HOME": f"{tmp_path}/c", "XDG_DATA_HOME": f"{tmp_path}/d"})
    assert not list(tmp_path.iterdir())


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / ".cache").touch()
    with pytest.raises(
        ToolchainError, match=r"\.cache is not a directory, but .*/\.cache/portals must be one"
    ):
        check({"HOME": str(tmp_path)})


def test_a_home_that_may_not_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # By the answer that another user gets; root may write everywhere.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(ToolchainError, match=rf"this user may not write to {tmp_path}; set HOME"):
        check({"HOME": str(tmp_path)})
    for folder in (".cache/portals", ".local/share/portals"):
        (tmp_path / folder).mkdir(parents=True)
    # What is there already may do without.
    check({"HOME": str(tmp_path)})


def test_a_state_of_earlier_versions_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolchain.paths.FORMERLY", f"{tmp_path}/portals-{{user}}")
    old = tmp_path / f"portals-{os.getuid()}/.local/share/portals/state/.pulumi/stacks/portals"
    old.mkdir(parents=True)
    check({})
    (old / "acme.json").touch()
    with pytest.raises(ToolchainError, match=r"has the state of portals: earlier versions kept it there"):
        check({})
    check({"HOME": str(tmp_path)})


def test_all_paths_lie_in_the_two() -> None:
    paths = Paths.of({"HOME": "/h"})
    cached = [
        paths.stamps,
        paths.logs,
        paths.lock,
        paths.go_caches,
        paths.venv("k"),
        paths.go("k"),
        paths.tools("k"),
    ]
    kept = [paths.state, paths.passphrase, paths.pulumi_home, paths.engine]
    assert all(path.is_relative_to(paths.cache) for path in cached)
    assert all(path.is_relative_to(paths.data) for path in kept)
    assert len({*cached, *kept}) == 11
