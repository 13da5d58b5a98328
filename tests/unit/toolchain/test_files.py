"""Files that are whole or not there, and keys made from what is in them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain import files


def test_writing_leaves_nothing_beside(tmp_path: Path) -> None:
    files.write(tmp_path / "a" / "b", "text", mode=0o600)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o600


def test_a_link_turns_at_once(tmp_path: Path) -> None:
    for target in ("one", "two"):
        (tmp_path / target).mkdir()
        files.link(tmp_path / "link", Path(target))
    assert (tmp_path / "link").resolve() == tmp_path / "two"


def test_what_the_dead_left_goes_and_what_lives_stays(tmp_path: Path) -> None:
    dead, alive, other = (
        tmp_path / f"x{files.UNFINISHED}{n}" for n in ("999999999-aa", f"{os.getppid()}-aa", "x")
    )
    for path in (dead, alive, other):
        path.mkdir()
        (path / "file").touch()
    files.remove_unfinished(tmp_path)
    assert sorted(tmp_path.iterdir()) == [alive]


def test_folders_without_write_permission_go_too(tmp_path: Path) -> None:
    folder = tmp_path / "modules" / "one"
    folder.mkdir(parents=True)
    (folder / "file").touch()
    (folder / "link").symlink_to("/etc/passwd")
    folder.chmod(0o500)
    files.remove(tmp_path / "modules")
    assert not (tmp_path / "modules").exists()
    assert Path("/etc/passwd").exists()


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_a_key_tells_its_parts_apart(one: list[str], other: list[str]) -> None:
    assert (files.key(one) == files.key(other)) == (one == other)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a.py").write_text("2"),
        lambda folder: (folder / "new.py").touch(),
        lambda folder: (folder / "a.py").unlink(),
        lambda folder: (folder / "a.py").rename(folder / "b.py"),
        lambda folder: (folder / "a.py").chmod(0o755),
    ],
)
def test_a_tree_key_sees_changes(tmp_path: Path, change: Callable[[Path], object]) -> None:
    folder = tree(tmp_path)
    before = files.tree_key(folder)
    change(folder)
    assert files.tree_key(folder) != before


def test_a_key_takes_a_name_of_any_bytes(tmp_path: Path) -> None:
    before = files.tree_key(tmp_path)
    (tmp_path / os.fsdecode(b"a\x85\xff")).touch()
    assert files.tree_key(tmp_path) != before


def test_a_tree_key_does_not_see_what_python_leaves(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    before = files.tree_key(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "a.cpython-311.pyc").touch()
    (folder / ".a.py.swp").touch()
    os.utime(folder / "a.py")
    assert files.tree_key(folder) == before


def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.py").write_text("1")
    (folder / "sub" / "c.py").write_text("3")
    (folder / "a.py").chmod(0o644)
    return folder
