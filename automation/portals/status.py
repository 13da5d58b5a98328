"""`status`: a portal as its engine has it."""

from typing import Any

from automation.drive import usage
from automation.engine import inventory, process_limits
from automation.errors import PortalError
from automation.portals import packet_rules
from config.tenant.tenant import Tenant


def status(tenant: Tenant) -> dict[str, Any]:
    """A portal as its engine has it: every service and job with its state and health; and how full its drive is.

    `exit_code` is that of a container that has ended, None of all others.
    """
    with inventory.connect(tenant.placement.docker_host) as client:
        containers = inventory.containers(client, tenant.name)
        unlimited = process_limits.without_limit(client, containers)
        space = drive_usage(client, tenant)
    late = inventory.not_up(containers, tenant.stays_up)
    return {
        "tenant": tenant.name,
        "healthy": not late,
        "host_rules": packet_rules.host_rules_for(tenant).state(),
        "without_process_limit": unlimited,
        "drive": space,
        "services": {
            each.service: {
                "container": each.name,
                "state": each.state,
                "health": each.health or None,
                "exit_code": int(each.exit_code) if each.exit_code else None,
            }
            for each in sorted(
                [*containers, *(one for one in late if not one.name)], key=lambda each: each.service
            )
        },
    }


def drive_usage(client: Any, tenant: Tenant) -> dict[str, Any]:
    """How full the drive is, and what the portal has taken of it; where nobody can say, `unknown` has the reason."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        return usage.facts(usage.measure(client, tenant), tenant)
    except (PortalError, DockerException, RequestException) as error:
        # Neither a portal's state nor an `up` that has succeeded hangs on this.
        return {"unknown": str(error), "warnings": []}
