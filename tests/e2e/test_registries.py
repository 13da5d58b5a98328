"""Public images: pinned by what a registry says, pulled by digest, whatever their tags mean since."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import docker
import pytest

from automation.engine import inventory
from automation.images import BuildError, digests, pull, registry_digests
from automation.portals import image_supply
from config.releases import pins
from config.releases.release import Releases
from tests.e2e.registry import Manner, Registry

pytestmark = pytest.mark.e2e
GONE = "docker.io/acme/forum:9.9"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as started:
        yield started


@pytest.fixture
def client(registry: Registry) -> Iterator[docker.APIClient]:
    """The engine; what the test pulled is gone afterwards."""
    with inventory.connect() as connected:
        yield connected
        for image in connected.images():
            names = [*(image["RepoTags"] or []), *(image["RepoDigests"] or [])]
            for name in names:
                if name.startswith(registry.address):
                    connected.remove_image(name)


def test_a_tag_is_pinned_and_what_it_pointed_at_is_pulled(
    client: docker.APIClient, registry: Registry
) -> None:
    image = f"{registry.address}/acme/forum:1.0"
    first = registry.put("acme/forum", "1.0", "first")
    messages: list[str] = []
    assert digests({image: image}, messages.append) == {image: first}
    assert messages == [f"{image} is {first}"]
    second = registry.put("acme/forum", "1.0", "second")
    assert digests({image: image}, messages.append) == {image: second} != {image: first}
    assert pull([f"{image}@{first}"], messages.append) == [f"{image}@{first}"]
    assert messages[-1] == f"pulling {image}"
    assert pull([f"{image}@{first}"], messages.append) == []
    # The plan's own words make the container, and say what it runs.
    made = client.create_container(f"{image}@{first}", name="c-pinned")
    try:
        assert client.inspect_container(made)["Config"]["Image"] == f"{image}@{first}"
        assert client.inspect_image(f"{image}@{first}")["RepoDigests"] == [
            f"{registry.address}/acme/forum@{first}"
        ]
    finally:
        client.remove_container(made)


def test_an_own_image_needs_no_tag(client: docker.APIClient, registry: Registry) -> None:
    own = f"{registry.address}/acme/addon@{registry.put('acme/addon', '7', 'own')}"
    assert pull([own], lambda _: None) == [own]


def test_a_tag_that_is_not_there_is_told(client: docker.APIClient, registry: Registry) -> None:
    with pytest.raises(BuildError, match=rf"^{registry.address}/acme/forum:9.9: .*manifest unknown"):
        digests({GONE: f"{registry.address}/acme/forum:9.9"}, lambda _: None)
    gone = f"{registry.address}/acme/forum@sha256:{'0' * 64}"
    with pytest.raises(BuildError, match=rf"^{gone}: "):
        pull([gone], lambda _: None)


def test_a_registry_that_does_not_answer_is_told() -> None:
    with Registry() as registry:
        address = registry.address
    with pytest.raises(BuildError, match=rf"^{address}/acme/forum:1.0: .*refused"):
        digests({GONE: f"{address}/acme/forum:1.0"}, lambda _: None)


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        (Manner.LOG_IN, "unauthorized|no basic auth credentials"),
        (Manner.GARBAGE, "invalid character|unsupported|not found|error parsing|manifest"),
        (Manner.EMPTY, "manifest unknown"),
        (Manner.HANG, "no answer within 2 s"),
    ],
)
def test_a_registry_that_does_not_answer_as_it_should_is_asked_for_seconds(
    registry: Registry, manner: Manner, reason: str
) -> None:
    """By real HTTP and the real engine: one line with the reason, bounded in time, whatever the registry does."""
    registry.manner = manner
    registry.put("acme/forum", "1.0", "there")
    places = {
        f"docker.io/acme/{each}:1.0": f"{registry.address}/acme/{each}:1.0" for each in ("forum", "lms")
    }
    began, messages = time.monotonic(), list[str]()
    with inventory.connect(limit=2.0) as connected:
        refusals = registry_digests.ask_registries(connected, places, messages.append)
    assert time.monotonic() - began < 10
    assert set(refusals.reasons) == set(places), refusals
    assert re.search(reason, refusals.why_unavailable), refusals.why_unavailable
    assert "\n" not in refusals.why_unavailable
    assert len(refusals.why_unavailable) < 400


def test_a_registry_on_another_port_than_any_program_is_told_at_once(registry: Registry) -> None:
    with Registry() as gone:
        address = gone.address
    with inventory.connect(limit=registry_digests.LIMIT_SECONDS) as connected:
        refusals = registry_digests.ask_registries(
            connected, {GONE: f"{address}/acme/forum:9.9"}, pytest.fail
        )
    assert re.search("refused", refusals.why_unavailable), refusals.why_unavailable


def test_pins_are_written_whole_and_keep_those_of_other_releases(
    client: docker.APIClient, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    for name, tag in (("old", "1.0"), ("new", "2.0")):
        (config / "releases").mkdir(parents=True, exist_ok=True)
        (config / "releases" / f"{name}.yml").write_text(
            f"title: {name}\nfollows: []\ncache: a.B\nsupport_ends: '2024-12-16'\nsupport_source: https://docs.example.com\nservices:\n  forum:\n    version: '{tag}'\n    group: openedx\n"
            "    port: 4567\n    user: 1000\n    memory: 64MiB\n    memory_min: 64MiB\n    workers: 0\n"
            "    grace_seconds: 30\n    data: []\n"
            f"    hub: {{image: '{registry.address}/acme/forum:{tag}'}}\n"
        )
        registry.put("acme/forum", tag, name)
    (config / "fleet.yml").write_text("pool: 10.77.0.0/16\n")
    monkeypatch.setattr(image_supply, "ROOT", tmp_path)
    path = image_supply.pin("old", lambda _: None)
    assert pins.load(path) == {f"{registry.address}/acme/forum:1.0": registry.tags["acme/forum/1.0"]}
    image_supply.pin("new", lambda _: None)
    assert len(pins.load(path)) == 2
    assert path.read_text().startswith("# The digest of each public image")
    made = Releases(config / "releases").load("old").services["forum"]
    assert made.hub.pinned == f"{registry.address}/acme/forum:1.0@{registry.tags['acme/forum/1.0']}"
    assert isinstance(Releases(config / "releases").load("new").services, MappingProxyType)
    before = path.read_text()
    del registry.tags["acme/forum/2.0"]
    with pytest.raises(BuildError, match="manifest unknown"):
        image_supply.pin("all", lambda _: None)
    assert path.read_text() == before
