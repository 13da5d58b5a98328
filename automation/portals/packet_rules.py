"""The packet rules of the machine that runs a portal: seen for `status`, put there by `up`."""

import os

from config.tenant.tenant import Tenant
from toolchain.errors import ToolchainError
from toolchain.parts import host_rules
from toolchain.paths import Paths


def host_rules_for(tenant: Tenant) -> host_rules.HostRules:
    """The packet rules of the machine that runs a portal, as far as they can be seen from here."""
    chosen = {"DOCKER_HOST": tenant.placement.docker_host} if tenant.placement.docker_host else {}
    env = {**os.environ, **chosen}
    return host_rules.HostRules(env, Paths.of(env))


def ensure(tenant: Tenant) -> str:
    """Put the host's packet rules there where the machine is ours; one line on what is lacking, with the remedy."""
    try:
        return host_rules.warning(host_rules_for(tenant).ensure())
    except ToolchainError as error:
        return f"the host's packet rules for portals could not be installed: {error}"
