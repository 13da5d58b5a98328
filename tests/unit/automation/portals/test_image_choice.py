"""What a portal gets that nobody has chosen release and images for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from automation.engine import inventory
from automation.images import registry_digests
from automation.images.event import BuildError
from automation.portals import image_choice
from automation.portals.image_choice import Choice, choice_if_available, choose, openedx_facts, write_pins
from automation.portals.onboarding_request import OnboardingRequest
from config.releases import pins
from config.tenant.tenant import Tenant
from preflight import facts
from tests.programs import TENANTS, released

PUBLIC = image_choice.all_releases().load("verawood").public()
DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"
REFUSED = "manifest unknown"


class Engine:
    """An engine that has images, and registries behind it that have those of `refused` not."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.has: set[str] = set()
        self.memory = 64 * 2**30
        self.requests: list[str] = []

    def info(self) -> Any:
        return {"MemTotal": self.memory}

    def ask(self, client: Any, places: Mapping[str, str], say: Any) -> registry_digests.RegistryAnswers:
        self.requests += places.values()
        return registry_digests.RegistryAnswers(
            digests={image: DIGEST for image, place in places.items() if place not in self.refused},
            reasons={image: REFUSED for image, place in places.items() if place in self.refused},
        )


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    made = Engine()

    @contextmanager
    def connect(host: str, *, limit: float) -> Iterator[Any]:
        yield made

    monkeypatch.setattr(inventory, "connect", connect)
    monkeypatch.setattr(registry_digests, "ask_registries", made.ask)
    monkeypatch.setattr(image_choice, "_has", lambda client, place, digest: f"{place}@{digest}" in made.has)
    monkeypatch.setattr(image_choice, "PINS", tmp_path / "config" / "pins.yml")
    # Of this machine's own memory nothing is to follow.
    monkeypatch.setattr(facts, "this_machine", lambda: SimpleNamespace(memory=0))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return made


def chosen(release: str = "", images: str = "", **more: Any) -> Choice:
    return choose(release, images, pytest.fail, **more)


def test_the_newest_release_from_public_images_where_all_answer(engine: Engine) -> None:
    choice = chosen()
    assert (choice.release, choice.images, choice.why) == ("verawood", "hub", "")
    assert choice.digests == dict.fromkeys(PUBLIC, DIGEST)
    assert sorted(engine.requests) == PUBLIC


def test_the_stand_in_with_the_reason_where_one_does_not(engine: Engine) -> None:
    engine.refused = {PUBLIC[0]}
    assert chosen() == Choice(
        release="redwood", images="packages", why=f"public images cannot be pulled: {PUBLIC[0]}: {REFUSED}"
    )


def test_what_is_asked_for_wins(engine: Engine) -> None:
    assert chosen(images="packages").images == "packages"
    assert chosen("juniper", "packages").release == "juniper"
    assert engine.requests == []
    assert (chosen(images="hub").release, chosen("redwood", "hub").release) == ("verawood", "redwood")


@pytest.mark.parametrize(
    ("release", "images", "remedy"),
    [
        ("", "hub", r"`--images packages` runs the stand-in \(release redwood\)"),
        ("redwood", "hub", r"`--images packages` runs the stand-in \(release redwood\)"),
        ("verawood", "", "verawood has no others"),
        ("verawood", "hub", "verawood has no others"),
    ],
)
def test_public_images_that_are_asked_for_are_not_replaced(
    engine: Engine, release: str, images: str, remedy: str
) -> None:
    engine.refused = {
        each for each_release in image_choice.all_releases().all().values() for each in each_release.public()
    }
    with pytest.raises(BuildError, match=rf"cannot be had: .*: {REFUSED} \(and \d+ more images\); {remedy}"):
        chosen(release, images)


def test_a_release_that_lacks_something_is_no_default(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = image_choice.all_releases()
    lacking = replace(known.load("redwood"), lacks=("Learners open no course. Not one.",))
    monkeypatch.setattr(known, "load", {**known.all(), "redwood": lacking}.__getitem__)
    monkeypatch.setattr(image_choice, "all_releases", lambda: known)
    choice = chosen("redwood")
    assert (choice.images, engine.requests) == ("packages", [])
    assert choice.why == "with public images of redwood this is so: Learners open no course"


def test_a_host_without_the_memory_gets_the_stand_in_unless_asked(engine: Engine) -> None:
    engine.memory = 4000 * 2**20
    assert chosen(least=5104) == Choice(
        release="redwood",
        images="packages",
        why="4000 MiB of memory are free, and verawood from public images needs 5104 to start",
    )
    assert engine.requests == []
    assert chosen(images="hub", least=5104).images == "hub"
    engine.memory = 0
    assert chosen(least=5104).images == "hub"


def test_pins_stay_whatever_tags_mean_since(engine: Engine) -> None:
    write_pins(chosen().digests, lambda text: None)
    before = pins.load(image_choice.PINS)
    assert before == dict.fromkeys(PUBLIC, DIGEST)
    assert chosen().digests == {}
    assert write_pins(dict.fromkeys(PUBLIC, OTHER), lambda text: None) == before
    assert pins.load(image_choice.PINS) == before


def test_nobody_is_asked_for_what_is_pinned_and_there(engine: Engine) -> None:
    write_pins(dict.fromkeys(PUBLIC, DIGEST), lambda text: None)
    engine.has = {f"{each}@{DIGEST}" for each in PUBLIC}
    engine.refused = {*PUBLIC}
    assert chosen().images == "hub"
    assert engine.requests == []


def test_a_release_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="'verawod' is not a release; did you mean 'verawood'"):
        choice_if_available("verawod", "")


def test_the_real_open_edx_stands_in_the_file_and_the_stand_in_only_where_asked_for() -> None:
    request = OnboardingRequest(name="oak", lms="oak.localhost")
    real = Choice(release="verawood", images="hub").request(request)
    assert (real.release, real.images) == ("verawood", "hub")
    assert Choice(release="redwood", images="packages", why="x").request(request) == request


def test_what_runs_is_said_on_one_line_with_the_end_of_its_support(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    real = released("acme", "verawood", tmp_path / "tenants")
    facts = openedx_facts(real, today=date(2026, 11, 30))
    assert facts["notice"] == "Open edX Verawood (June 2026), supported until 2026-12-09, from public images."
    assert (facts["real"], facts["supported"], facts["lacks"], facts["why"]) == (True, True, [], "")
    assert not openedx_facts(real, today=date(2026, 12, 9))["supported"]
    old = replace(real, release=replace(real.releases["redwood"], lacks=("Learners open no course.",)))
    assert openedx_facts(old)["notice"] == (
        "Open edX Redwood (June 2024), support ended on 2024-12-16, from public images. Learners open no course."
    )
    facts = openedx_facts(Tenant.load("acme", TENANTS), "docker.io: refused")
    assert (facts["real"], facts["why"]) == (False, "docker.io: refused")
    assert facts["notice"].startswith(
        "this portal runs a stand-in for edx-platform, not Open edX itself: docker.io"
    )
    assert (
        "the image source (`images`) of tenants/acme.yaml is packages"
        in openedx_facts(Tenant.load("acme", TENANTS))["why"]
    )
