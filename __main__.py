"""This stack's tenant becomes a portal; its facts become stack outputs."""

from pathlib import Path

import pulumi

from components import in_force
from components.portal import Portal
from config.errors import ConfigError
from config.tenant import Tenant

HERE = Path(__file__).parent

try:
    tenant = Tenant.load(pulumi.get_stack(), HERE / "tenants")
    tenant.may_follow(in_force.read(tenant.name))
except ConfigError as error:
    # RunError ends the program with these words and no traceback.
    raise pulumi.RunError(str(error)) from None

portal = Portal(tenant, images=HERE / "images")
for name, value in portal.facts.items():
    pulumi.export(name, value)
