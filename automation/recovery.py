"""Mends what a killed `pulumi` leaves behind: a stale lock, pending operations, half-made resources, failed gates."""

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.drift import CONTAINER, MADE_BY_THE_ENGINE, NETWORK, resources
from automation.errors import Locked
from automation.pulumi import Stack

# A plugin notices within 0.2 s that its CLI is gone; the engine may still be finishing its last request.
SETTLE_SECONDS = 1.0
SETTLE_LIMIT_SECONDS = 60.0
# A run that was just told to stop still finishes the steps it has begun.
LOCK_LIMIT_SECONDS = 60.0
POLL_SECONDS = 0.25

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A file backend's lock: the process that took it, and where."""

    path: Path
    pid: int
    hostname: str
    since: str

    @classmethod
    def read(cls, path: Path) -> "Lock | None":
        """The lock in a file, None if it went meanwhile; a torn one belongs to nobody (pid 0)."""
        try:
            told = json.loads(path.read_text() or "{}")
        except FileNotFoundError:
            return None
        except ValueError:
            told = {}
        return cls(
            path=path,
            pid=int(told.get("pid", 0)),
            hostname=str(told.get("hostname", "")),
            since=str(told.get("timestamp", "an unknown time")),
        )

    def stale(self, hostname: str, running: Callable[[int], bool]) -> bool:
        """Whether its process is known to be gone: one of this machine that no longer runs."""
        return self.hostname in ("", hostname) and not running(self.pid)


def runs_pulumi(pid: int) -> bool:
    """Whether this process is alive and still a pulumi, not a later one that was given its number."""
    if pid <= 0:
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        return b"pulumi" in command.split(b"\0")[0]
    except FileNotFoundError:
        return False
    except OSError:
        # Not Linux, or not ours to look at: alive as far as anyone can tell.
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def recover(stack: Stack, client: Any, say: Say) -> dict[str, Any]:
    """Make the stack fit for the next command; return its state.

    Raises Locked when another process holds the stack, PortalError when the backend or engine says no.
    """
    if unlock(stack, say):
        settle(client, stack.name)
    exported = stack.state()
    pending = pending_operations(exported)
    if pending:
        settle(client, stack.name)
        for each in half_made(pending, exported):
            remove(client, each, stack.name, say)
        exported = without_pending(exported)
        stack.replace_state(exported)
        say(f"cleared {len(pending)} operations that an interrupted run had left pending")
    return exported


def unlock(stack: Stack, say: Say) -> bool:
    """Remove locks whose process is gone. Returns whether there was one. Raises Locked for a live one."""
    if stack.locks is None or not stack.locks.is_dir():
        return False
    found = wait_for_others(stack.name, stack.locks, say)
    for lock in found:
        lock.path.unlink(missing_ok=True)
        say(f"removed the lock of process {lock.pid}, which no longer runs")
    return bool(found)


def wait_for_others(tenant: str, folder: Path, say: Say, limit: float = LOCK_LIMIT_SECONDS) -> list[Lock]:
    """Wait until no process that runs holds a lock; return the stale ones. Raises Locked after `limit` seconds."""
    end = time.monotonic() + limit
    told = False
    while True:
        found = [lock for path in sorted(folder.glob("*.json")) if (lock := Lock.read(path))]
        live = [lock for lock in found if not lock.stale(socket.gethostname(), runs_pulumi)]
        if not live:
            return found
        one = live[0]
        if one.hostname != socket.gethostname() or time.monotonic() > end:
            raise Locked(
                f"portal {tenant} is being changed by process {one.pid} on {one.hostname} since {one.since}; "
                f"wait for it, or, if you know that it is gone, run `pulumi cancel --stack {tenant}`"
            )
        if not told:
            say(f"waiting for process {one.pid}, which is changing portal {tenant} since {one.since}")
            told = True
        time.sleep(POLL_SECONDS)


def settle(client: Any, tenant: str) -> None:
    """Wait until the engine makes nothing more for this tenant: its last request outlives a killed client."""
    end = time.monotonic() + SETTLE_LIMIT_SECONDS
    before = None
    while time.monotonic() < end:
        now = snapshot(client, tenant)
        if now == before:
            return
        before = now
        time.sleep(SETTLE_SECONDS)


def snapshot(client: Any, tenant: str) -> list[tuple[str, str]]:
    """Every object of the tenant and its state, to see whether anything moves."""
    label = {"label": f"portal.tenant={tenant}"}
    return sorted(
        [(each["Id"], each["State"]) for each in client.containers(all=True, filters=label)]
        + [(each["Id"], "network") for each in client.networks(filters=label)]
        + [(each["Name"], "volume") for each in client.volumes(filters=label)["Volumes"] or []]
    )


def pending_operations(exported: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the state says was under way when its writer died."""
    return list((exported.get("deployment") or {}).get("pending_operations") or [])


def without_pending(exported: Mapping[str, Any]) -> dict[str, Any]:
    """The state as it was, its pending operations forgotten."""
    deployment = {key: value for key, value in exported["deployment"].items() if key != "pending_operations"}
    return {**exported, "deployment": deployment}


def half_made(
    pending: list[dict[str, Any]], exported: Mapping[str, Any]
) -> list[tuple[str, str, frozenset[str]]]:
    """(type, name on the engine, ids that the state knows) of each resource whose creation was under way."""
    known = frozenset(
        each["id"] for each in resources(exported) if each.get("id") and each["type"] in MADE_BY_THE_ENGINE
    )
    return [
        (each["resource"]["type"], each["resource"]["inputs"]["name"], known)
        for each in pending
        if each.get("type") == "creating"
        and each["resource"]["type"] in MADE_BY_THE_ENGINE
        and isinstance(each["resource"].get("inputs", {}).get("name"), str)
    ]


def remove(client: Any, what: tuple[str, str, frozenset[str]], tenant: str, say: Say) -> None:
    """Remove a half-made object that is this tenant's and in no state. Data lies on the drive: none is lost."""
    from docker.errors import NotFound

    kind, name, known = what
    try:
        if kind == CONTAINER:
            told = client.inspect_container(name)
            labels, identity = told["Config"]["Labels"], told["Id"]
        elif kind == NETWORK:
            told = client.inspect_network(name)
            labels, identity = told["Labels"], told["Id"]
        else:
            told = client.inspect_volume(name)
            labels, identity = told["Labels"], told["Name"]
    except NotFound:
        return
    if identity in known or (labels or {}).get("portal.tenant") != tenant:
        return
    if kind == CONTAINER:
        client.stop(identity, timeout=30)
        client.remove_container(identity, v=True, force=True)
    elif kind == NETWORK:
        client.remove_network(identity)
    else:
        client.remove_volume(identity)
    say(f"removed {name}, half made by an interrupted run")


def failed_gates(exported: Mapping[str, Any]) -> list[str]:
    """URNs of jobs whose recorded exit code is not 0: only a replacement runs them again."""
    return [
        each["urn"]
        for each in resources(exported)
        if each["type"] == CONTAINER
        and (each.get("outputs") or {}).get("exitCode")
        and (each.get("inputs") or {}).get("attach")
    ]
