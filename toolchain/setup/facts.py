"""What is so on this machine; asked only when a part is missing."""

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from toolchain import environment
from toolchain.parts.engine import ask
from toolchain.parts.pulumi_cli import address, reachable
from toolchain.paths import Paths
from toolchain.pins import Pins
from toolchain.process import Runner
from toolchain.setup.decide import Facts

PROGRAMS = ("dockerd", "mmdebstrap", "chromium")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def gather(env: Mapping[str, str], paths: Paths, pins: Pins, runner: Runner, *, pulumi: bool) -> Facts:
    """Ask the machine. pulumi: whether its CLI is to be looked for, on PATH and at its download server."""
    # Not our own bin directory, which a shell with `portal env` has on PATH.
    path = environment.without_ours(paths, env.get("PATH", ""))
    forced = env.get("PORTAL_TOOLCHAIN", "")
    cli = shutil.which("pulumi", path=path) if pulumi and not forced else None
    go = shutil.which("go", path=path) if pulumi else None
    return Facts(
        forced=forced,
        root=os.geteuid() == 0,
        debian=shutil.which("apt-get", path=path) is not None,
        engine=ask(env, pins.engine_oldest_api),
        pulumi=runner.ask([cli, "version"], env={"PULUMI_SKIP_UPDATE_CHECK": "1"}) if cli else "",
        language_host=shutil.which("pulumi-language-python", path=path) is not None,
        go=runner.ask([go, "version"], env={"GOTOOLCHAIN": "local"}) if go else "",
        # Without a sum nothing is taken from there, whether it answers or not.
        official=pulumi
        and not forced
        and bool(pins.archives)
        and reachable(address(pins, os.uname().machine)),
        machine=os.uname().machine,
        free_mib=shutil.disk_usage(existing(paths.cache)).free // 2**20,
        ensurepip=has_ensurepip(),
        certificates=Path(env.get("SSL_CERT_FILE") or CERTIFICATES).exists(),
        programs=frozenset(name for name in PROGRAMS if shutil.which(name, path=path)),
        env=env,
    )


def existing(path: Path) -> Path:
    """A path, or the nearest folder above it that is there."""
    return next(each for each in (path, *path.parents) if each.exists())


def has_ensurepip() -> bool:
    """Debian keeps it, and with it pip, in a package of its own (python3-venv)."""
    spec = importlib.util.find_spec("ensurepip")
    return spec is not None and spec.origin is not None


def has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()
