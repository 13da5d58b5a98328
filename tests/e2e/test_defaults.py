"""What an operator gets who chooses nothing: from a registry on this machine, and where it is not as it should be.

The registry has small images under the names of verawood's public ones: each keeps its image's contract and does nothing
(testbed/light.py). The release's file is told that they keep it by themselves, so that no start script is needed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from config.releases import pins
from testbed.checkout import Checkout
from testbed.command_result import CommandResult
from testbed.light import LIGHT, LightPortals
from testbed.objects import Objects
from tests.e2e.registry import Manner, Registry

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

NAME = "e2e-light-1"
RELEASE = "verawood"


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """Somebody with a checkout whose docker.io is a registry on this machine."""

    fleet: LightPortals
    registry: Registry

    @property
    def checkout(self) -> Checkout:
        return self.fleet.checkout

    def pins(self) -> dict[str, str]:
        return pins.load(self.checkout.folder / "config" / "pins.yml")

    def new(self, *words: str) -> CommandResult:
        """`./portal new`, in JSON."""
        root = str(self.checkout.drive)
        host = ("--lms", f"{NAME}.localhost", "--mail", "sink", "--root", root)
        return self.checkout.portal("new", NAME, *host, "--json", *words)


@pytest.fixture
def newcomer(fleet: LightPortals, objects: Objects) -> Iterator[Newcomer]:
    config = fleet.checkout.folder / "config"
    kept = {path: path.read_text() for path in (config / "fleet.yml", config / "releases" / f"{RELEASE}.yml")}
    built = fleet.checkout.portal(
        "images", "build", LIGHT, "ops", "load-balancer", "mailer", "mail-sink", "--json"
    )
    assert built.code == 0, str(built)
    with Registry() as registry:
        (config / "fleet.yml").write_text(f"pool: 10.77.0.0/16\nmirror: {registry.address}/hub\n")
        release = yaml.safe_load(kept[config / "releases" / f"{RELEASE}.yml"])
        saved = b"".join(objects.client.get_image(built.facts()["images"][LIGHT]))
        for service in release["services"].values():
            simplified(service, registry, saved)
        del release["python"]
        (config / "releases" / f"{RELEASE}.yml").write_text(
            yaml.safe_dump(release, sort_keys=False, width=10_000)
        )
        yield Newcomer(fleet=fleet, registry=registry)
    for path, text in kept.items():
        path.write_text(text)
    (config / "pins.yml").unlink(missing_ok=True)
    fleet.clear()
    for image in objects.client.images():
        for name in [*(image["RepoTags"] or []), *(image["RepoDigests"] or [])]:
            if name.startswith(registry.address):
                objects.client.remove_image(name)


def simplified(service: dict[str, Any], registry: Registry, saved: bytes) -> None:
    """A service whose public image is a small one: it wants nothing of its own, and little memory."""
    service["memory"], service["memory_min"] = "128MiB", "64MiB"
    if "hub" not in service:
        return
    image = service["hub"]["image"]
    service["hub"] = {"image": image}
    name, _, tag = image.removeprefix("docker.io/").rpartition(":")
    user = service["user"]
    # Of the lms: what `docker exec` runs for the first admin's link.
    env = ["PATH=/usr/local/bin:/usr/bin:/bin", "OPENEDX_ENTRY=echo http://light.invalid/"]
    ports = "8000,8010" if name.endswith("/openedx") else str(service["port"])
    words = ["/usr/local/bin/light", name.rpartition("/")[2], ports]
    registry.push(f"hub/{name}", tag, saved, Entrypoint=words, User=f"{user}:{user}", Env=env)


def test_where_a_registry_answers_it_is_the_newest_release_by_digest(newcomer: Newcomer) -> None:
    """File and digests are written, the portal runs what they name, and a tag that moves changes nothing."""
    rehearsed = newcomer.new("--dry-run")
    assert rehearsed.code == 0, str(rehearsed)
    facts = rehearsed.facts()
    assert (facts["openedx"]["real"], facts["openedx"]["images"]) == (True, "hub")
    assert "release: verawood\nimages: hub\n" in facts["text"]
    assert newcomer.pins() == {}

    made = newcomer.new()
    assert made.code == 0, str(made)
    facts = made.facts()
    assert facts["openedx"]["notice"].startswith("Open edX Verawood (June 2026), support")
    assert newcomer.pins() == rehearsed.facts()["digests"]
    file = yaml.safe_load((newcomer.checkout.folder / "tenants" / f"{NAME}.yaml").read_text())
    assert (file["release"], file["images"]) == ("verawood", "hub")
    client = newcomer.fleet.objects.client
    redis = client.inspect_container(f"{NAME}-redis")["Config"]["Image"]
    image = "docker.io/library/redis:7.4.10"
    assert redis == f"{newcomer.registry.address}/hub/library/redis:7.4.10@{newcomer.pins()[image]}"

    before = newcomer.pins()
    newcomer.registry.tags["hub/library/redis/7.4.10"] = newcomer.registry.tags["hub/library/mysql/8.4.11"]
    newcomer.registry.requests.clear()
    again = newcomer.new()
    assert again.code == 0, str(again)
    assert again.facts()["changes"] == []
    assert newcomer.pins() == before
    assert newcomer.registry.requests == []
    pinned = newcomer.checkout.portal("images", "pin", RELEASE)
    assert pinned.code == 0, str(pinned)
    assert newcomer.pins()[image] == before["docker.io/library/mysql:8.4.11"] != before[image]


@pytest.mark.parametrize("manner", [Manner.EMPTY, Manner.LOG_IN, Manner.GARBAGE, Manner.HANG])
def test_where_it_does_not_it_is_the_stand_in_and_says_why(newcomer: Newcomer, manner: Manner) -> None:
    newcomer.registry.manner = manner
    result = newcomer.new("--dry-run")
    assert result.code == 0, str(result)
    facts = result.facts()
    assert "images:" not in facts["text"]
    assert (facts["openedx"]["real"], facts["digests"]) == (False, {})
    assert newcomer.registry.address not in facts["openedx"]["why"].split(": ")[1]
    assert facts["openedx"]["why"].startswith("public images cannot be pulled: docker.io/"), json.dumps(
        facts["openedx"]
    )
    assert facts["openedx"]["why"] in facts["openedx"]["notice"]
    assert result.seconds < 30
    if manner is Manner.HANG:
        assert f"asking {newcomer.registry.address} for the public images, at most 6 s" in result.err
    assert newcomer.pins() == {}


def test_what_is_asked_for_wins_over_a_registry_that_does_not_answer(newcomer: Newcomer) -> None:
    newcomer.registry.manner = Manner.EMPTY
    result = newcomer.new("--dry-run", "--images", "hub")
    assert result.code == 1, str(result)
    assert "the public images of verawood cannot be had: docker.io/" in result.err
    chosen = newcomer.new("--dry-run", "--images", "packages")
    assert chosen.facts()["openedx"]["why"] == "`images: packages` is asked for"
    assert newcomer.pins() == {}
