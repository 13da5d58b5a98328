"""The light images of the end-to-end tests stand for every image that a release runs."""

import shutil
from pathlib import Path

import pytest

from config.images import recipes as recipes_of
from config.images import references
from config.releases.release import Releases
from testbed.light import KEPT, LIGHT, dockerfile, replace_recipes

HERE = Path(__file__).resolve().parents[3]


@pytest.fixture
def lightened(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    shutil.copytree(HERE / "images", folder)
    replace_recipes(folder)
    return folder


@pytest.mark.parametrize("release", ["juniper", "redwood"])
def test_every_service_of_a_release_is_light(lightened: Path, release: str) -> None:
    made = recipes_of(lightened)
    loaded = Releases(HERE / "config" / "releases").load(release)
    for name in loaded.services.keys() - loaded.left_out("packages", ()):
        service = loaded.services[name]
        assert made[service.image].parent == LIGHT
        assert made[service.image].needs == (LIGHT,)


def test_what_is_kept_keeps_its_reference_and_nothing_else_does(lightened: Path) -> None:
    before, after = references(HERE / "images"), references(lightened)
    assert {role: after[role] for role in KEPT} == {role: before[role] for role in KEPT}
    light = {role for role, each in recipes_of(lightened).items() if each.parent == LIGHT}
    assert len(light) > 10
    assert not {after[role] for role in light} & set(before.values())


def test_a_recipe_tells_its_role_and_its_ports() -> None:
    assert dockerfile("nginx", 1993, [8000, 8001]).splitlines()[2:] == [
        "USER 1993:1993",
        'ENTRYPOINT ["/usr/local/bin/light", "nginx", "8000,8001"]',
    ]
