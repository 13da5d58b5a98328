"""Static files of a public image, most of which are links by absolute paths to a few."""

import os
from pathlib import Path
from types import ModuleType

import pytest

from tests.standalone import load

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def assets() -> ModuleType:
    return load(ROOT / "images" / "openedx" / "openedx_assets.py")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """As equal files are made one: `a.css` has the content, two links of the image's own paths name it."""
    source = tmp_path / "staticfiles"
    (source / "studio" / "deep").mkdir(parents=True)
    (source / "z.css").write_text("body {}" * 1000)
    (source / "a.0123456789ab.css").symlink_to(source / "z.css")
    (source / "studio" / "deep" / "b.css").symlink_to(source / "a.0123456789ab.css")
    (source / "more").symlink_to(source / "studio")
    (source / "loop").symlink_to(source)
    (source / "gone.css").symlink_to(source / "nothing")
    outside = tmp_path / "outside.js"
    outside.write_text("1")
    (source / "outside.js").symlink_to(outside)
    return source


def test_every_name_is_a_file_and_every_content_is_there_once(
    assets: ModuleType, built: Path, tmp_path: Path
) -> None:
    target = tmp_path / "static"
    assert assets.copy(built, target) == (2, 3)
    names = [
        target / each for each in ("z.css", "a.0123456789ab.css", "studio/deep/b.css", "more/deep/b.css")
    ]
    assert {each.stat().st_ino for each in names} == {names[0].stat().st_ino}
    assert not any(each.is_symlink() for each in target.rglob("*")), "nginx follows none"
    assert names[2].read_text() == "body {}" * 1000
    assert (target / "outside.js").read_text() == "1"
    assert not (target / "gone.css").exists()
    assert not list(target.rglob("*.part"))


def test_what_is_there_is_not_written_again(assets: ModuleType, built: Path, tmp_path: Path) -> None:
    target = tmp_path / "static"
    assets.copy(built, target)
    assert assets.copy(built, target) == (0, 0)
    # A new image: one file is another, one name means something else, one is gone.
    (built / "z.css").write_text("other")
    (built / "studio" / "deep" / "b.css").unlink()
    (built / "studio" / "deep" / "b.css").write_text("own")
    (built / "outside.js").unlink()
    assert assets.copy(built, target) == (2, 2)
    assert (target / "a.0123456789ab.css").read_text() == "other"
    assert (target / "more/deep/b.css").read_text() == "own"
    assert (target / "outside.js").read_text() == "1", "an open page may still ask for it"


def test_a_copy_that_was_cut_short_is_done_over(assets: ModuleType, built: Path, tmp_path: Path) -> None:
    target = tmp_path / "static"
    assets.copy(built, target)
    (target / "z.css").unlink()
    (target / ".z.css.part").write_text("half")
    os.link(target / "outside.js", target / ".a.0123456789ab.css.part")
    assert assets.copy(built, target)[0] == 1
    assert (target / "a.0123456789ab.css").read_text() == "body {}" * 1000
    assert not list(target.rglob("*.part"))


def test_a_drive_that_cannot_be_written_is_told_in_one_line(
    assets: ModuleType, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "static").write_text("a file")
    assert assets.main(built, tmp_path / "static") == 1
    assert capsys.readouterr().err.count("\n") == 1
