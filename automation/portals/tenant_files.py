"""The tenants that the files of tenants/ describe."""

from automation.stack import ROOT
from config.tenant.tenant import Tenant

TENANTS = ROOT / "tenants"


def load(name: str) -> Tenant:
    """The tenant of that name, its file checked whole. Raises ConfigError."""
    return Tenant.load(name, TENANTS)
