"""This stack's tenant becomes a portal; its facts become stack outputs."""

import os
from pathlib import Path

import pulumi

from components import deployed_release, preflight
from components.portal import Portal
from config.portal.mail import SMARTHOST_KEY
from config.reading.errors import ConfigError
from config.tenant.tenant import Tenant
from toolchain import terminal

HERE = Path(__file__).parent

try:
    tenant = Tenant.load(pulumi.get_stack(), HERE / "tenants")
    state = deployed_release.resources(tenant.name)
    tenant.require_upgrade_path(deployed_release.read(state))
except ConfigError as error:
    # RunError ends the program with these words and no traceback.
    raise pulumi.RunError(terminal.lines(str(error))) from None

if preflight.LOOKED not in globals():
    preflight.check_engine(tenant, HERE / "images", state.values())

portal = Portal(
    tenant,
    images=HERE / "images",
    owner=deployed_release.owner_of(state, os.environ),
    smarthost_password=pulumi.Config().get_secret(SMARTHOST_KEY),
)
for name, value in portal.facts.items():
    pulumi.export(name, value)
