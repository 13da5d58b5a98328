"""The drive that every host mounts at the same path, and the sentinel file that proves it is mounted."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from automation.errors import PortalError
from automation.pulumi import ROOT
from config.drive import SENTINEL
from config.images import reference
from config.tenant import Tenant
from preflight import helper as helpers

MARK = "portals-drive"


class DriveMissing(PortalError):
    """The drive is not mounted where the tenant says."""

    exit_code = 7


def init(client: Any, root: str, say: Callable[[str], None]) -> bool:
    """Write the sentinel to `root`, by the engine that will mount it; returns whether it was not there yet."""
    if has_sentinel(client, root):
        return False
    run(client, root, f"[ -e /drive/{SENTINEL} ] || echo {MARK} > /drive/{SENTINEL}")
    say(f"marked {root} as the portals' drive ({root}/{SENTINEL})")
    return True


def check(client: Any, tenant: Tenant) -> None:
    """Raises DriveMissing when the engine does not see the sentinel: nothing may start on the wrong disk."""
    if not has_sentinel(client, tenant.storage.root):
        raise DriveMissing(
            f"{tenant.storage.root}/{SENTINEL} is not there on the engine's host, so the drive is not mounted: "
            "nothing was started and nothing written. Mount the drive; or, for a new drive, "
            f"run `./portal drive init {tenant.storage.root}` once"
        )


def has_sentinel(client: Any, root: str) -> bool:
    """Whether the engine's host has the sentinel: a bind mount of an absent path is refused at creation."""
    from docker.errors import APIError
    from docker.types import Mount

    mount = Mount("/sentinel", f"{root}/{SENTINEL}", type="bind", read_only=True)
    try:
        with helper(client, command=["true"], host_config=client.create_host_config(mounts=[mount])):
            return True
    except APIError as error:
        if "bind source path does not exist" in str(error.explanation):
            return False
        raise


def run(client: Any, root: str, script: str, limit: float = 60.0) -> str:
    """What a shell script says, with the drive's root at /drive, in a container that is gone afterwards.

    Raises PortalError when it fails, or does not end within `limit` seconds.
    """
    bound = client.create_host_config(binds=[f"{root}:/drive"])
    with helper(client, entrypoint=["sh", "-c", script], user="0:0", host_config=bound) as made:
        client.start(made)
        ended = client.wait(made, timeout=limit)
        said: str = client.logs(made).decode(errors="replace").strip()
        if ended["StatusCode"]:
            raise PortalError(f"{root}: {said}")
        return said


def helper(client: Any, **how: Any) -> AbstractContextManager[str]:
    """A container without a network for one question to the engine's host; its id. It is gone afterwards."""
    return helpers.helper(client, ops_image(), **how)


def ops_image() -> str:
    """The image that the storage-init job runs, too."""
    return reference("ops", ROOT / "images")
