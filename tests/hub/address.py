"""A portal that is up, as far as whoever uses it needs to know it: its hosts, where it listens, who its first admin is."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.tenant.tenant import Tenant
from testbed.trial import Trial
from toolchain.paths import data_directory

ANYWHERE = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a portal is found. All its sites are behind one door."""

    name: str
    release: str
    lms: str
    cms: str
    sink: str
    door: tuple[str, int]
    admin: str
    password: Callable[[], str]

    @classmethod
    def of_tenant(cls, tenant: Tenant) -> "Address":
        """A portal of this checkout and this user."""
        kept = data_directory(os.environ) / "tenants" / tenant.name / "admin-password"
        return cls._made(tenant, kept)

    @classmethod
    def of_trial(cls, trial: Trial) -> "Address":
        """A portal of a test's own checkout."""
        folder = trial.checkout.folder / "tenants"
        kept = trial.checkout.data / "portals" / "tenants" / trial.name / "admin-password"
        return cls._made(Tenant.load(trial.name, folder), kept)

    @classmethod
    def _made(cls, tenant: Tenant, kept: Path) -> "Address":
        listen = tenant.listen
        port = "" if listen.port == 80 else f":{listen.port}"
        return cls(
            name=tenant.name,
            release=tenant.release.name,
            lms=f"http://{tenant.hosts.lms}{port}",
            cms=f"http://{tenant.hosts.cms}{port}",
            sink=f"http://{tenant.hosts.mail}{port}",
            door=("127.0.0.1" if listen.address in ANYWHERE else listen.address, listen.port),
            admin=tenant.admin.email,
            password=kept.read_text,
        )

    def site(self, url: str) -> str:
        """The site of an address that somebody was sent: its scheme and host."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}"
