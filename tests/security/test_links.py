"""Files of the checkout that are symbolic links out of it: refused by name, and what lies there is never opened."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from automation import stack as stacks
from automation.errors import PortalError
from automation.images.context import context
from automation.runs import read_only
from components import service
from config.images import ImageError, recipes, references
from config.reading import checkout
from config.reading.errors import ConfigError
from config.releases import pins, public_images
from config.releases.release import Releases
from config.schema import manual
from config.tenant.fleet import Fleet
from config.tenant.tenant import Tenant, load_valid
from tests.programs import ROOT

SECRET = "correct-horse-battery-staple-73519"
ACME = """\
title: Acme
hosts: {lms: learn.acme.example, cms: studio.acme.example}
listen: {port: 8080}
placement: {subnet: 10.77.5.0/24}
admin: {email: admin@acme.example}
"""
NEIGHBOUR = ACME.replace("acme", "oak").replace("8080", "8081").replace("10.77.5", "10.77.6")


def tenant(root: Path) -> object:
    return Tenant.load("acme", root / "tenants", releases=releases(root))


def releases(root: Path) -> Releases:
    return Releases(root / "config" / "releases")


def built(root: Path) -> bytes:
    with context("base", root / "images", {}) as tar:
        return tar.read()


# Every file that is read from a checkout, and what reads it.
PLACES: dict[str, Callable[[Path], object]] = {
    "tenants/acme.yaml": tenant,
    "tenants/oak.yaml": tenant,
    "tenants/Pulumi.acme.yaml": tenant,
    "config/fleet.yml": lambda root: Fleet.load(root / "config" / "fleet.yml"),
    "config/pins.yml": lambda root: pins.load(root / "config" / "pins.yml"),
    "config/releases/redwood.yml": lambda root: releases(root).load("redwood"),
    "config/releases/hub/mysql.sh": lambda root: public_images.file("mysql.sh"),
    "config/reference.yml": lambda root: manual.comments(),
    "components/health.sh": lambda root: service.health_script(),
    "images/base/image.yml": lambda root: recipes(root / "images"),
    "images/base/Dockerfile": lambda root: references(root / "images"),
    "images/base/entry": built,
    "images/base/inner/entry": built,
}


def absolute(root: Path, place: Path) -> None:
    place.symlink_to(root.parent / "outside" / "passphrase")


def relative(root: Path, place: Path) -> None:
    place.symlink_to(os.path.relpath(root.parent / "outside" / "passphrase", place.parent))


def through_a_folder(root: Path, place: Path) -> None:
    (root / "more").symlink_to("../outside")
    place.symlink_to(os.path.relpath(root / "more" / "passphrase", place.parent))


def through_a_link_inside(root: Path, place: Path) -> None:
    (root / "more").symlink_to(root.parent / "outside" / "passphrase")
    place.symlink_to(root / "more")


def up_and_back(root: Path, place: Path) -> None:
    """What it leads to is the checkout's, by a way that the checkout does not hold."""
    (root / "more").write_text(SECRET)
    above = root.parent / "outside" / "back"
    above.symlink_to(root / "more")
    place.symlink_to(above)


def of_the_process(root: Path, place: Path) -> None:
    place.symlink_to("/proc/self/environ")


def to_nothing(root: Path, place: Path) -> None:
    place.symlink_to(root.parent / "outside" / "nowhere")


def to_git(root: Path, place: Path) -> None:
    place.symlink_to(os.path.relpath(root / ".git" / "config", place.parent))


def loop(root: Path, place: Path) -> None:
    place.symlink_to(place.name)


def loop_of_two(root: Path, place: Path) -> None:
    (root / "more").symlink_to(place)
    place.symlink_to(root / "more")


def the_folder(root: Path, place: Path) -> None:
    """Not the file, but the folder in which it lies."""
    away = root.parent / "outside" / "folder"
    place.write_text(SECRET)
    shutil.move(place.parent, away)
    place.parent.symlink_to(away)


OUT = (absolute, relative, through_a_folder, through_a_link_inside, up_and_back, of_the_process, to_nothing)
CIRCLES = (loop, loop_of_two)

_watched: list[str] | None = None


def _opening(event: str, details: tuple[Any, ...]) -> None:
    # A hook stays as long as the process; it notes nothing but while `opened` is in use.
    if event == "open" and _watched is not None and isinstance(details[0], str | os.PathLike):
        _watched.append(os.path.realpath(os.fspath(details[0])))


@pytest.fixture(scope="module")
def _hook() -> None:
    sys.addaudithook(_opening)


@pytest.fixture
def opened(_hook: None) -> Iterator[list[str]]:
    """What has been opened since, by where it leads."""
    global _watched
    _watched = []
    yield _watched
    _watched = None


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that is right, and a secret beside it."""
    made = tmp_path / "checkout"
    (made / "tenants").mkdir(parents=True)
    (made / "tenants" / "acme.yaml").write_text(ACME)
    (made / "tenants" / "oak.yaml").write_text(NEIGHBOUR)
    (made / "tenants" / "Pulumi.acme.yaml").write_text("encryptionsalt: v1:x\n")
    shutil.copytree(ROOT / "config", made / "config", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (made / "config" / "pins.yml").write_text(pins.text({"docker.io/library/a:1": f"sha256:{'0' * 64}"}))
    (made / "components").mkdir()
    shutil.copy(ROOT / "components" / "health.sh", made / "components")
    (made / "images" / "base" / "inner").mkdir(parents=True)
    (made / "images" / "base" / "image.yml").write_text("packages: [ca-certificates]\n")
    for each in ("Dockerfile", "entry", "inner/entry"):
        (made / "images" / "base" / each).write_text("# base\n")
    (made / ".git").mkdir()
    (made / ".git" / "config").write_text(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "passphrase").write_text(SECRET)
    monkeypatch.setattr(public_images, "FILES", made / "config" / "releases" / "hub")
    monkeypatch.setattr(public_images, "ROOT", made)
    monkeypatch.setattr(manual, "FILE", made / "config" / "reference.yml")
    monkeypatch.setattr(manual, "ROOT", made)
    monkeypatch.setattr(service, "__file__", str(made / "components" / "service.py"))
    return made


def refused(place: str, root: Path) -> str:
    with pytest.raises((ConfigError, ImageError)) as caught:
        PLACES[place](root)
    return str(caught.value)


@pytest.mark.parametrize("place", PLACES)
def test_the_checkout_is_right(place: str, root: Path) -> None:
    PLACES[place](root)


@pytest.mark.parametrize("link", [*OUT, to_git, *CIRCLES], ids=lambda link: link.__name__)
@pytest.mark.parametrize("place", PLACES)
def test_a_link_out_is_refused_and_not_read(
    place: str, link: Callable[[Path, Path], None], root: Path, opened: list[str]
) -> None:
    (root / place).unlink()
    link(root, root / place)
    opened.clear()
    error = refused(place, root)
    assert SECRET not in error
    assert place in error
    if link in CIRCLES:
        assert "cannot be read: Too many levels of symbolic links" in error
    else:
        way = "leads into .git" if link is to_git else "leads out of the checkout"
        assert f"{way} and is not followed, expected a regular file there" in error
    away = [
        each
        for each in opened
        if each.startswith((str(root.parent / "outside"), str(root / ".git"), "/proc/"))
    ]
    assert not away


@pytest.mark.parametrize("place", PLACES)
def test_a_folder_that_leads_out_is_refused_and_not_read(place: str, root: Path, opened: list[str]) -> None:
    the_folder(root, root / place)
    opened.clear()
    error = refused(place, root)
    assert SECRET not in error
    folder = Path(place).parent.as_posix()
    assert (
        f"the symbolic link '{folder}' to '{root.parent}/outside/folder' leads out of the checkout" in error
    )
    assert not [each for each in opened if each.startswith(str(root.parent / "outside"))]


@pytest.mark.parametrize("way", ["relative", "absolute", "folder", "chain"])
@pytest.mark.parametrize("place", PLACES)
def test_a_link_inside_the_checkout_is_followed(place: str, way: str, root: Path) -> None:
    before = PLACES[place](root) if place.startswith("images/") else None
    (root / "more").mkdir()
    (root / place).rename(root / "more" / "file")
    target = root / "more" / "file"
    if way == "folder":
        (root / "shown").symlink_to("more")
        target = root / "shown" / "file"
    if way == "chain":
        (root / "shown").symlink_to(root / "more" / "file")
        target = root / "shown"
    (root / place).symlink_to(target if way == "absolute" else os.path.relpath(target, (root / place).parent))
    assert before is None or PLACES[place](root) == before
    PLACES[place](root)


def test_a_checkout_may_itself_be_reached_by_a_link(root: Path) -> None:
    shown = root.parent / "shown"
    shown.symlink_to(root)
    (root / "more").write_text(ACME)
    (root / "tenants" / "acme.yaml").unlink()
    (root / "tenants" / "acme.yaml").symlink_to(shown / "more")
    assert Tenant.load("acme", shown / "tenants", releases=releases(shown)).title == "Acme"
    assert references(shown / "images") == references(root / "images")


def test_a_table_of_tenants_says_it_too(root: Path) -> None:
    (root / "tenants" / "oak.yaml").unlink()
    absolute(root, root / "tenants" / "oak.yaml")
    _, wrong = load_valid(root / "tenants", releases=releases(root))
    assert wrong[0].startswith("tenants/oak.yaml: cannot be read: the symbolic link 'tenants/oak.yaml' to ")


@pytest.mark.parametrize("key", ["wheels", "jars"])
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../outside/passphrase", "../../.git/config", "out/passphrase"]
)
def test_a_recipe_names_no_file_out_of_the_checkout(key: str, path: str, root: Path) -> None:
    home = root / "images" / "base"
    (home / "out").symlink_to(root.parent / "outside")
    (home / "image.yml").write_text(f"{key}: {path}\n")
    with pytest.raises(
        ImageError, match=rf"^images/base/image.yml: {key}: cannot be read: .*, expected a regular file"
    ):
        recipes(root / "images")


def test_the_cli_gets_no_settings_that_lead_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = root / "tenants" / "Pulumi.acme.yaml"
    settings.unlink()
    absolute(root, settings)
    for each in (read_only, stacks):
        monkeypatch.setattr(each, "ROOT", root)
    stack = stacks.Stack(name="acme", environ={"PATH": ""}, folder=root)
    (root.parent / "work").mkdir()
    # Reading and writing alike: the CLI writes what settings lack.
    with pytest.raises(PortalError, match=r"^tenants/Pulumi\.acme\.yaml: cannot be read: the symbolic link"):
        stack.ensure()
    look = read_only.copied_settings(root.parent / "work", "acme")
    with (
        pytest.raises(PortalError, match=r"^tenants/Pulumi\.acme\.yaml: cannot be read: the symbolic link"),
        look,
    ):
        pass
    assert not list((root.parent / "work").rglob("Pulumi*"))
    assert (root.parent / "outside" / "passphrase").read_text() == SECRET


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ConfigError, match=r"^fifo: cannot be read: is not a file$"):
        checkout.text(tmp_path / "fifo", tmp_path)


YAML = [each for each in PLACES if each.endswith((".yml", ".yaml")) and "Pulumi" not in each]


@pytest.mark.parametrize(
    "whole", ["{}", "{}\n", "'{}'", "'{}'\n# {}", "[{}]", "{} {}", "# {}\n---\n{}", "73519", "73519.25"]
)
@pytest.mark.parametrize("place", YAML)
def test_what_is_no_configuration_is_not_quoted(place: str, whole: str, root: Path) -> None:
    (root / place).write_text(whole.format(SECRET, SECRET))
    error = refused(place, root)
    assert SECRET not in error
    assert "73519" not in error


LONG = "x7" * 500
SHAPES = (
    *(f"k: {LONG}", f"{LONG}: x", f"? {LONG}\n: x", f"k: !{LONG} x", f"k: *{LONG}", f"k: &{LONG} x"),
    *(
        f"%TAG !{LONG}! x\n---\nk: x",
        f"k: !{LONG}!x x",
        f"k: '{LONG}",
        f"k: [{LONG}",
        f"k: {LONG}: x",
        f"k: {{{LONG}: x}}",
    ),
    *(
        f"parent: {LONG}",
        f"uses: [{LONG}]",
        f"uses: {{{LONG}: x}}",
        f"pool: {LONG}",
        f"title: {LONG}",
        f"{LONG}:{LONG}: x",
    ),
    *(f"services: {{lms: {{data: [{LONG}], calls: [{LONG}], image: {LONG}}}}}", f"services: {{{LONG}: x}}"),
    *(f"release: {LONG}", f"worker_groups: {{{LONG}: {{queues: [{LONG}]}}}}", f"EDXAPP_X: {LONG}"),
)


@pytest.mark.parametrize("text", SHAPES, ids=range(len(SHAPES)))
@pytest.mark.parametrize("place", [each for each in YAML if each != "config/reference.yml"])
def test_what_was_found_is_quoted_in_a_short_excerpt(place: str, text: str, root: Path) -> None:
    path = root / place
    path.write_text(f"{text}\n")
    error = refused(place, root)
    runs = re.findall(r"(?:x7)+x?", error)
    assert all(len(each) <= 61 for each in runs), error


@pytest.mark.parametrize(
    ("place", "was", "now"),
    [
        ("config/releases/redwood.yml", "calls: [", f"calls: [{LONG[:100]}, "),
        ("config/releases/redwood.yml", "data: [mysql]", f"data: [{LONG[:100]}]"),
        ("tenants/acme.yaml", "title: Acme\n", f"title: Acme\nstorage: {{root: '/srv/{LONG[:100]}/'}}\n"),
        ("tenants/acme.yaml", "title: Acme", f"title: {'7' * 75}"),
    ],
)
def test_what_has_a_good_form_and_is_wrong_is_cut_too(place: str, was: str, now: str, root: Path) -> None:
    path = root / place
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, now, 1))
    runs = re.findall(r"(?:x7)+x?|7+", refused(place, root))
    assert runs
    assert max(map(len, runs)) <= 60
