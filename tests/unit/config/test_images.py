"""Roles of images, and their references."""

import os
import re
import shutil
import time
from pathlib import Path

import pytest

from config.images import ImageError, recipe, recipes, reference, references, roles

IMAGES = Path(__file__).resolve().parents[3] / "images"
ROLES = {
    *("base", "python", "jre", "mysql", "mongo", "redis", "memcached", "rabbitmq", "elasticsearch", "nginx"),
    *("load-balancer", "ops", "openedx-standin"),
}


def changed(image_folder: Path, before: dict[str, str]) -> set[str]:
    return {role for role, now in references(image_folder).items() if before.get(role) != now}


def test_a_reference_is_the_role_and_sixteen_digits() -> None:
    for role, listed in references(IMAGES).items():
        assert re.fullmatch(rf"portals/{role}:[0-9a-f]{{16}}", listed)
        assert reference(role, IMAGES) == listed


def test_every_role_of_the_house_is_there() -> None:
    assert set(roles(IMAGES)) >= ROLES
    for role in roles(IMAGES):
        assert (IMAGES / role / "Dockerfile").is_file(), role


def test_a_role_comes_after_all_it_needs() -> None:
    order = list(recipes(IMAGES))
    for role, made_of in recipes(IMAGES).items():
        assert all(order.index(need) < order.index(role) for need in made_of.needs), role


def test_the_same_files_give_the_same_reference_anywhere(
    image_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "images"
    shutil.copytree(image_folder, elsewhere)
    for path in elsewhere.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert references(elsewhere) == references(image_folder)


@pytest.mark.parametrize("name", ["__pycache__/entry.cpython-311.pyc", "entry.pyc", "tests/test_entry.py"])
def test_what_never_reaches_an_image_does_not_count(image_folder: Path, name: str) -> None:
    before = references(image_folder)
    path = image_folder / "search" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("left behind")
    assert changed(image_folder, before) == set()


def test_content_name_and_x_bit_count(image_folder: Path) -> None:
    entry = image_folder / "search" / "entry"
    entry.write_text("#!/bin/sh\n")
    references = [reference("search", image_folder)]
    entry.chmod(0o755)
    references.append(reference("search", image_folder))
    entry.write_text("#!/bin/sh\r\n")
    references.append(reference("search", image_folder))
    entry.rename(entry.with_name("start"))
    references.append(reference("search", image_folder))
    assert len(set(references)) == 4


def test_a_name_may_be_any_bytes(image_folder: Path) -> None:
    before = references(image_folder)
    (image_folder / "search" / os.fsdecode(b"a\x85\xff")).write_text("x")
    assert "search" in changed(image_folder, before)


def test_a_change_reaches_all_that_stand_on_it_and_no_other(image_folder: Path) -> None:
    before = references(image_folder)
    (image_folder / "java" / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN true\n")
    assert changed(image_folder, before) == {"java", "search"}
    before = references(image_folder)
    (image_folder / "python" / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN true\n")
    assert changed(image_folder, before) == {"python", "search"}
    before = references(image_folder)
    (image_folder / "base" / "image.yml").write_text("packages: [ca-certificates, tzdata]")
    assert changed(image_folder, before) == {"base", "python", "java", "search"}


def test_all_references_take_milliseconds() -> None:
    took = []
    for _ in range(5):
        began = time.process_time()
        references(IMAGES)
        took.append(time.process_time() - began)
    assert min(took) < 0.05


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("parent: [", "images/java/image.yml: is not YAML: "),
        ("- base", "images/java/image.yml: should be a mapping, for example 'parent: base'"),
        (
            "parnet: base",
            "images/java/image.yml: parnet: is not known; known are: parent, uses, wheels, jars, packages",
        ),
        (
            "uses: [python]",
            "images/java/image.yml: parent: every role but 'base' needs one, for example 'parent: base'",
        ),
        ("parent: 3", "images/java/image.yml: parent: should be a text"),
        (
            "parent: base\nuses: python",
            "images/java/image.yml: uses: should be a list of texts, for example '[python]'",
        ),
        (
            "parent: bsae",
            "images/java/image.yml: 'bsae' is not a role; known are: base, java, python, search",
        ),
        ("parent: search", "images/java/image.yml: is its own parent: java -> search -> java"),
    ],
)
def test_a_bad_recipe_says_where_and_what(image_folder: Path, text: str, error: str) -> None:
    (image_folder / "java" / "image.yml").write_text(text)
    with pytest.raises(ImageError) as caught:
        references(image_folder)
    assert str(caught.value).startswith(error)


@pytest.mark.parametrize("role", ["nonsuch", "../base", "", "Base"])
def test_an_unknown_role_is_named_with_the_known_ones(image_folder: Path, role: str) -> None:
    with pytest.raises(ImageError, match="known are: base, java, python, search"):
        recipe(role, image_folder)


def test_scripts_are_executable_and_strict() -> None:
    for role in ROLES - {"openedx-standin"}:
        for name in ("entry", "probe", "warm-up", "storage-init"):
            path = IMAGES / role / name
            if path.exists():
                assert os.access(path, os.X_OK), path
                text = path.read_text()
                assert text.startswith("#!/bin/bash\n# "), path
                assert "\nset -e" in text, path
