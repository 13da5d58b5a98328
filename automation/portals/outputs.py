"""The facts that an `up` returns: the stack's outputs, with the admin's password in a file."""

import os
from pathlib import Path
from typing import Any

from automation.stack import Stack
from config.tenant.tenant import Tenant
from toolchain.paths import data_directory


def facts(tenant: Tenant) -> dict[str, Any]:
    """The stack's outputs, the admin's password moved into a file of its own."""
    stack_outputs = Stack(name=tenant.name).outputs(secrets=True)
    password = stack_outputs.pop("admin_password")
    path = password_file(tenant.name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists() or path.read_text() != password:
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
        fresh.replace(path)
    stack_outputs["admin"] = {**stack_outputs["admin"], "password_file": str(path)}
    return stack_outputs


def password_file(tenant: str) -> Path:
    """Where the first log-in's password lies on the operator's machine, mode 0600."""
    return data_directory(os.environ) / "tenants" / tenant / "admin-password"
