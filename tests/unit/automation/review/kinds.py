"""Ten kinds of change to a checkout, as edits of its files, and the two portals that they change."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROWAN, ALDER, WILLOW = "e2e-rowan", "e2e-alder", "e2e-willow"
# Far from what a first tenant takes.
NUMBERS = {ROWAN: 130, ALDER: 131, WILLOW: 132}
FIRST_PORT = 18180 - 250
DRIVE = "/srv/portals"
# What a reviewer sees, one file a kind.
COMMENTS = Path(__file__).parent / "comments"
# Hashes of what an image or a container is made of: they change with things that are no matter here.
_HASHED = re.compile(r"(portals/[a-z-]+:)[0-9a-f]{16}|(labels\[portal\.spec-hash\]\.value: )[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of change: `edit` changes the checkout; `touches` are the tenants that a preview has to look at."""

    name: str
    title: str
    edit: Callable[[Path], None]
    touches: tuple[str, ...]
    removed: tuple[str, ...] = ()


def tenant(name: str, drive: str = DRIVE, **more: Any) -> dict[str, Any]:
    """What every tenant must say; its mail stays in a sink."""
    host = f"{name}.localhost"
    return {
        "title": name.removeprefix("e2e-").capitalize() + " University",
        "hosts": {"lms": host, "cms": f"studio.{host}", "mail": f"mail.{host}"},
        "listen": {"address": "127.0.0.1", "port": FIRST_PORT + NUMBERS[name]},
        "placement": {"subnet": f"10.77.{NUMBERS[name]}.0/24"},
        "storage": {"root": drive},
        "admin": {"email": f"admin@{host}"},
        "mail": {"delivery": "sink"},
        **more,
    }


def write(folder: Path, name: str, tenant_file: Mapping[str, Any]) -> None:
    """Write `tenants/<name>.yaml`."""
    (folder / "tenants" / f"{name}.yaml").write_text(yaml.safe_dump(dict(tenant_file), sort_keys=False))


def read(folder: Path, name: str) -> dict[str, Any]:
    """What `tenants/<name>.yaml` says."""
    tenant_file: dict[str, Any] = yaml.safe_load((folder / "tenants" / f"{name}.yaml").read_text())
    return tenant_file


def change(folder: Path, name: str, **more: Any) -> None:
    """Say something else in a tenant's file."""
    write(folder, name, {**read(folder, name), **more})


def resize(folder: Path, service: str, memory: str) -> None:
    """Another limit for one service, beside what its tenant says of others."""
    change(folder, ROWAN, sizes={**read(folder, ROWAN).get("sizes", {}), service: {"memory": memory}})


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, which must contain it."""
    text = path.read_text()
    assert old in text, f"{path.name} has no {old!r} any more: choose another edit"
    path.write_text(text.replace(old, new))


def steady(comment: str) -> str:
    """The comment with the n-th hash of it as its n-th."""
    names: dict[str, str] = {}
    return _HASHED.sub(
        lambda match: (match[1] or match[2]) + names.setdefault(match[0], f"hash-{len(names) + 1}"), comment
    )


def new_tenant(folder: Path) -> None:
    """A third portal on the drive of the others."""
    write(folder, WILLOW, tenant(WILLOW, drive=read(folder, ROWAN)["storage"]["root"]))


def size(folder: Path) -> None:
    """More memory for the lms."""
    resize(folder, "lms", "640MiB")


def image(folder: Path) -> None:
    """A line more in what the nginx image is made of."""
    path = folder / "images" / "nginx" / "Dockerfile"
    path.write_text(path.read_text() + "LABEL portal.trial=1\n")


def release(folder: Path) -> None:
    """A release of the test's own that follows redwood, with more memory for memcached."""
    text = (folder / "config" / "releases" / "redwood.yml").read_text()
    text = text.replace("title: Redwood (June 2024)", "title: Trial (today)")
    text = text.replace("follows: [juniper]", "follows: [redwood]")
    text = text.replace("memory: 96MiB", "memory: 112MiB")
    (folder / "config" / "releases" / "trial.yml").write_text(text)
    change(folder, ROWAN, release="trial")


def host_name(folder: Path) -> None:
    """Another host name of the lms."""
    hosts = read(folder, ROWAN)["hosts"]
    change(folder, ROWAN, hosts={**hosts, "lms": "learn.rowan.localhost"})


def service_off(folder: Path) -> None:
    """Mail by MX: the page that showed it is no more."""
    hosts = {key: value for key, value in read(folder, ROWAN)["hosts"].items() if key != "mail"}
    change(folder, ROWAN, hosts=hosts, mail={"delivery": "direct"})


def data_store(folder: Path) -> None:
    """More memory for mysql."""
    resize(folder, "mysql", "640MiB")


def refactor(folder: Path) -> None:
    """A private method gets another name."""
    replace(folder / "components" / "network.py", "_network", "_made")


def tenant_removed(folder: Path) -> None:
    """A tenant file is deleted."""
    (folder / "tenants" / f"{ALDER}.yaml").unlink()


def shared_file(folder: Path) -> None:
    """A word more in the script that every service's health probe runs."""
    path = folder / "components" / "health.sh"
    path.write_text(path.read_text() + "# Changed.\n")


# In an order in which none changes what a later one does.
KINDS = (
    Kind(name="size", title="A service's size", edit=size, touches=(ROWAN,)),
    Kind(name="image", title="An image", edit=image, touches=(ALDER, ROWAN)),
    Kind(name="release", title="The release", edit=release, touches=(ROWAN,)),
    Kind(name="host-name", title="A host name", edit=host_name, touches=(ROWAN,)),
    Kind(name="data-store", title="A data store's setting", edit=data_store, touches=(ROWAN,)),
    Kind(name="refactor", title="A refactoring that changes nothing", edit=refactor, touches=(ALDER, ROWAN)),
    Kind(name="shared-file", title="A shared file", edit=shared_file, touches=(ALDER, ROWAN)),
    Kind(name="service-off", title="A service off", edit=service_off, touches=(ROWAN,)),
    Kind(name="tenant-removed", title="A tenant removed", edit=tenant_removed, touches=(), removed=(ALDER,)),
    Kind(name="new-tenant", title="A new tenant", edit=new_tenant, touches=(WILLOW,)),
)
