"""Which release and images the demo's file gets."""

from pathlib import Path

import pytest

from automation.images.event import BuildError
from automation.portals import demo, image_choice, onboarding, tenant_files
from automation.portals.demo import load_or_choose, release_and_images, with_keys
from automation.portals.image_choice import Choice
from config.reading.errors import ConfigError
from tests.programs import TENANTS

REAL = Choice(
    release="verawood",
    images="hub",
    digests=dict.fromkeys(image_choice.all_releases().load("verawood").public(), f"sha256:{'a' * 64}"),
)
STAND_IN = Choice(release="redwood", images="packages", why="docker.io: refused")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository's own file, where it can be written to."""
    folder = tmp_path / "tenants"
    folder.mkdir()
    made = folder / "demo.yaml"
    made.write_text((TENANTS / "demo.yaml").read_text())
    monkeypatch.setattr(tenant_files, "TENANTS", folder)
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    monkeypatch.setattr(onboarding, "ROOT", tmp_path)
    monkeypatch.setattr(image_choice, "PINS", tmp_path / "config" / "pins.yml")
    monkeypatch.setattr(image_choice, "write_pins", lambda digests, say: digests)
    monkeypatch.setattr(tenant_files, "load", lambda name: demo.validate(made.read_text(), REAL.digests))
    return made


def decided(monkeypatch: pytest.MonkeyPatch, choice: Choice) -> list[tuple[str, str]]:
    """What is chosen, and what was asked for each time."""
    choices: list[tuple[str, str]] = []

    def choose(release: str, images: str, say: object, *, docker_host: str, least: int) -> Choice:
        choices.append((release, images))
        assert least > 0
        return choice

    monkeypatch.setattr(image_choice, "choose", choose)
    return choices


def test_the_real_open_edx_is_written_into_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choices = decided(monkeypatch, REAL)
    tenant, why = load_or_choose(False, "", "", lambda text: None)
    assert (tenant.release.name, tenant.images, why) == ("verawood", "hub", "")
    assert release_and_images(file.read_text()) == {"release": "verawood", "images": "hub"}
    assert "title: Demo University\nrelease: verawood\nimages: hub\n" in file.read_text()
    # Once: what stands in the file is asked for from then on.
    load_or_choose(False, "", "", lambda text: None)
    assert choices == [("", ""), ("verawood", "hub")]


def test_the_stand_in_leaves_the_file_as_it_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decided(monkeypatch, STAND_IN)
    before = file.read_text()
    tenant, why = load_or_choose(False, "", "", pytest.fail)
    assert (tenant.images, why, file.read_text()) == ("packages", "docker.io: refused", before)


def test_what_is_asked_for_stands_in_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decided(monkeypatch, STAND_IN)
    file.write_text(with_keys(file.read_text(), {"release": "verawood", "images": "hub"}))
    load_or_choose(False, "", "packages", lambda text: None)
    assert release_and_images(file.read_text()) == {"release": "redwood", "images": "packages"}


def test_a_demo_that_was_begun_keeps_what_it_has(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_choice, "choose", lambda *words, **more: pytest.fail("asked"))
    before = file.read_text()
    tenant, why = load_or_choose(True, "", "", pytest.fail)
    assert (tenant.images, why) == ("packages", "the demo was begun with it")
    assert load_or_choose(True, "redwood", "packages", pytest.fail)[0] == tenant
    with pytest.raises(
        ConfigError, match=r"images: is 'packages', but you passed 'hub'; .*\./portal purge demo"
    ):
        load_or_choose(True, "", "hub", pytest.fail)
    assert file.read_text() == before


def test_a_choice_that_fails_writes_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def choose(*words: object, **more: object) -> Choice:
        raise BuildError("the public images of verawood cannot be had")

    monkeypatch.setattr(image_choice, "choose", choose)
    before = file.read_text()
    with pytest.raises(BuildError):
        load_or_choose(False, "", "hub", pytest.fail)
    with pytest.raises(ConfigError, match=r"tenants/demo\.yaml: release: 'x' is not a release"):
        load_or_choose(False, "x", "", pytest.fail)
    assert file.read_text() == before


def test_keys_are_written_once_at_the_top_of_a_file() -> None:
    text = "# A file\ntitle: Acme\n\nhosts:\n  release: no\n"
    made = with_keys(text, {"release": "verawood", "images": "hub"})
    assert made == "# A file\ntitle: Acme\nrelease: verawood\nimages: hub\n\nhosts:\n  release: no\n"
    assert with_keys(made, {"release": "redwood"}) == made.replace("verawood", "redwood")
    assert release_and_images(made) == {"release": "verawood", "images": "hub"}
