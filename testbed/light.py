"""Portals for tests of the tools: the real program on a real engine, with images that only listen and pass their probe.

A light image is some KB on the base image and starts in 50 ms, so a portal of 15 containers is up in seconds. Each says
that it is light, in its log and in every answer. `ops` stays what it is: directories and their owners are real.
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.images import roles
from config.releases.release import Releases
from testbed.checkout import HERE, Checkout
from testbed.objects import Objects
from testbed.trial import LIGHT_NUMBERS, MANAGED, Trial

RECIPES = Path(__file__).parent / "light-images"
# What all light images stand on.
LIGHT = "light"
# What stays as it is: what others stand on, and the job that makes the directories.
KEPT = frozenset({"base", "ops"})
# Ports that an image has besides its service's: the load balancer's health, the mail sink's page.
BESIDES = {"load-balancer": (8081,), "mail-sink": (8026,)}


def recipes(folder: Path, release: str = "redwood") -> dict[str, str]:
    """Role → Dockerfile, of every role in `folder` that a release's services run."""
    served: dict[str, set[int]] = {}
    users: dict[str, int] = {}
    for service in Releases(HERE / "config" / "releases").load(release).services.values():
        ports = {service.port, *BESIDES.get(service.image, ())} - {0}
        served.setdefault(service.image, set()).update(ports)
        users[service.image] = service.user
    return {
        role: dockerfile(role, users[role], sorted(served[role]))
        for role in roles(folder)
        if role in served and role not in KEPT
    }


def dockerfile(role: str, user: int, ports: Iterable[int]) -> str:
    """The recipe of one role: `light` told which role it plays and where that listens."""
    port_list = ",".join(map(str, ports))
    # What `docker exec` runs for the first admin's link in an image of Open edX.
    entry = 'ENV OPENEDX_ENTRY="echo http://light.invalid/"\n' if role == "openedx-standin" else ""
    return f'ARG BASE\nFROM ${{BASE}}\nUSER {user}:{user}\n{entry}ENTRYPOINT ["/usr/local/bin/light", "{role}", "{port_list}"]\n'


def replace_recipes(folder: Path) -> list[str]:
    """Replace the recipes in a copy's `images/` by light ones; return their roles."""
    made = recipes(folder)
    shutil.copytree(RECIPES / LIGHT, folder / LIGHT)
    for role, text in made.items():
        shutil.rmtree(folder / role)
        (folder / role).mkdir()
        (folder / role / "image.yml").write_text(f"parent: {LIGHT}\n")
        (folder / role / "Dockerfile").write_text(text)
    return sorted(made)


@dataclass(frozen=True, kw_only=True)
class LightPortals:
    """The portals with light images of one checkout. Each has its own name, subnet and port."""

    checkout: Checkout
    objects: Objects

    def trial(self, number: int, **choices: Any) -> Trial:
        """The portal `e2e-light-<number>`; writes its tenant file."""
        made = Trial(
            name=f"e2e-light-{number}",
            checkout=self.checkout,
            objects=self.objects,
            root=self.checkout.drive,
        )
        made.write(**choices)
        return made

    def trials(self, count: int, **choices: Any) -> list[Trial]:
        """The first `count` portals; writes their tenant files."""
        return [self.trial(number, **choices) for number in range(1, count + 1)]

    def clear(self) -> None:
        """Remove everything of all light tenants: from the engine, the drive, the checkout and its state."""
        for name in LIGHT_NUMBERS:
            self.objects.remove(name)
            for path in (
                self.checkout.folder / "tenants" / f"{name}.yaml",
                self.checkout.folder / "tenants" / f"Pulumi.{name}.yaml",
            ):
                path.unlink(missing_ok=True)
        self.objects.run_on_drive(
            self.checkout.drive, "find /drive -mindepth 1 -maxdepth 1 -name 'e2e-light-*' -exec rm -rf {} +"
        )
        for part in ("stacks", "locks", "history", "backups"):
            shutil.rmtree(self.checkout.backend / part, ignore_errors=True)
        shutil.rmtree(self.checkout.data / "portals" / "tenants", ignore_errors=True)

    def names_in_state(self, name: str) -> set[str]:
        """The ids of a tenant's objects, from the state file that the CLI wrote last."""
        file = self.checkout.backend / "stacks" / "portals" / f"{name}.json"
        if not file.exists():
            return set()
        latest = json.loads(file.read_text())["checkpoint"]["latest"] or {}
        return {each["id"] for each in latest.get("resources") or [] if each["type"].endswith(MANAGED)}

    def assert_whole(self, trials: Iterable[Trial]) -> None:
        """Each is healthy and as its file says, the state has every object once, and no lock or process is left."""
        ran = self.checkout.portal("preview", "--all", "--refresh", "--json")
        assert ran.code == 0, str(ran)
        facts = ran.facts()["tenants"]
        for each in trials:
            assert facts[each.name]["changes"] == [], str(ran)
            assert not each.unhealthy(), each.name
            assert self.objects.ids(each.name) == self.names_in_state(each.name), each.name
            assert each.get("/heartbeat")[0] == 200, each.name
            each.assert_quiet()
