"""`demo`: the first portal on a machine."""

import time
from collections.abc import Callable
from typing import Any

from automation.drive import data_locations
from automation.drive import demo as own
from automation.engine import inventory
from automation.portals import image_supply, tenant_files, up
from automation.stack import Stack
from config.tenant.tenant import survey

Say = Callable[[str], None]


def demo(say: Say) -> dict[str, Any]:
    """The first portal on a machine: its own drive, its images, `up`. Raises PortalError and its kinds."""
    start = time.monotonic()
    tenant = tenant_files.load("demo")
    stack = Stack(name=tenant.name)
    if stack.exists():
        own.refuse_moved(
            tenant.storage.root, [each.root for each in data_locations.known_locations(stack, stack.state())]
        )
    image_supply.prepare_images(tenant, say)
    others = {
        name: each.storage.root
        for name, each in survey(tenant_files.TENANTS)[0].items()
        if name != tenant.name
    }
    with inventory.connect(tenant.placement.docker_host) as client:
        own.prepare(client, tenant.storage.root, others, say)
    told = up.up(tenant, say, prepared=up.Prepared())
    return {**told, "seconds": round(time.monotonic() - start, 1)}
