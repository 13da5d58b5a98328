"""Whose a portal is that an engine or a drive has: this state's, another's, or nobody says."""

import os
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from getpass import getuser
from typing import Any

from automation.drive import sentinel
from automation.errors import PortalError
from automation.portals import engine_identity
from automation.runs import drift
from automation.stack import Stack
from config.portal import owner
from config.portal.labels import OWNER, tenant_filter
from config.portal.resource_types import CONTAINER

# What is typed for the owner of a portal that nothing names one of.
NOBODY = "unknown"
# storage-init writes it into a portal's directory.
RECORD = ".portal/owner"
# Through a link it would be another portal's name, or a file of the container's.
READ = (
    "for each in /drive/{0} /drive/{0}/.portal /drive/{0}/"
    + RECORD
    + "; do if [ -L $each ]; then exit 0; fi; done; "
    "if [ -f /drive/{0}/" + RECORD + " ]; then head -c 300 /drive/{0}/" + RECORD + "; fi"
)


class NotOurs(PortalError):
    """What would be deleted is another state's portal, as far as anybody can tell."""

    exit_code = 11


class Side(StrEnum):
    """Of whom a portal is."""

    OURS = "ours"
    OTHERS = "others"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose it is; `name` is what the portal itself says, empty where it says nothing."""

    side: Side
    name: str = ""

    def __str__(self) -> str:
        if self.side is Side.OURS:
            return "this state"
        return self.name or NOBODY


@dataclass(frozen=True, kw_only=True)
class OwnState:
    """What can prove that a portal is this state's: the backend's name, and the state's resources by tenant."""

    name: str
    states: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, tenants: Collection[str]) -> "OwnState":
        """Of the shell's backend, for the tenants that it has a stack of."""
        return cls(
            name=owner.of_backend(os.environ),
            states={each: Stack(name=each).state() for each in tenants},
        )

    def judge(self, tenant: str, ids: Collection[str], names: Collection[str]) -> Owner:
        """Whose a portal is of which an engine has objects with these ids, and that says these names of its owner.

        A name that is not this state's is another's, whatever else is known: two may have used the drive. Ids of containers and
        networks are drawn at random, so a state that has one of them has made it: that holds for portals of earlier versions, too,
        which wrote no name. Of one that is on no engine and names nobody, the state that still has something of it can tell.
        """
        state = self.states.get(tenant, {})
        own = {self.name, *owners_in_state(state)} - {""}
        if others := sorted({*names} - own - {""}):
            return Owner(side=Side.OTHERS, name=others[0])
        known = engine_identity.ids(state)
        if known & set(ids) or own & set(names):
            return Owner(side=Side.OURS, name=self.name)
        # Begun and interrupted, or taken down: the state has at least its passwords.
        begun = bool(drift.resources(state))
        return Owner(side=Side.OURS if begun and not (ids and known) else Side.UNKNOWN, name="")


def owners_in_state(state: Mapping[str, Any]) -> set[str]:
    """The owner that a state's own containers name: another than its backend's where it was moved from one to another."""
    return {
        owner.plain(str(label.get("value")))
        for each in drift.resources(state)
        if each["type"] == CONTAINER
        for label in (each.get("outputs") or {}).get("labels") or []
        if label.get("label") == OWNER
    }


def ensure_backend_name() -> None:
    """Give this machine's file backend its name, if it has none. Others have one."""
    place = owner.folder(os.environ)
    if place and place.is_dir():
        owner.make(place, f"{user()}@{socket.gethostname()}")


def user() -> str:
    """Who runs this, for people to read."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def ids_and_owners(client: Any, tenant: str) -> tuple[set[str], set[str]]:
    """The ids of a tenant's containers and networks, and the owners that its containers name."""
    label = tenant_filter(tenant)
    containers = client.containers(all=True, filters=label)
    ids = {each["Id"] for each in (*containers, *client.networks(filters=label))}
    return ids, {owner.plain((each.get("Labels") or {}).get(OWNER, "")) for each in containers} - {""}


def owner_on_drive(client: Any, root: str, tenant: str) -> str:
    """The owner that a portal's directory names, empty where it names none. Raises PortalError."""
    return owner.plain(sentinel.run_on_drive(client, root, READ.format(tenant), reads=True))


def require_ownership(tenant: str, whose: Owner, answered: str) -> None:
    """Raises NotOurs for a portal that this state does not know, unless somebody answers for it by its owner's name."""
    if whose.side is Side.OURS or answered == str(whose):
        return
    if whose.side is Side.OTHERS:
        raise NotOurs(
            f"portal {tenant} belongs to another state, {whose.name}; nothing was removed. Purge it "
            "there; or, if that state is gone for good and you answer for the data: ./portal purge "
            f"{tenant} --owner {whose.name} --confirm {tenant}"
        )
    raise NotOurs(
        f"portal {tenant} is not in this state and names no owner: another checkout or an earlier "
        "version may have created it; nothing was removed. If nobody else needs it and you answer "
        f"for the data: ./portal purge {tenant} --owner {NOBODY} --confirm {tenant}"
    )
