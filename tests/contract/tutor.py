"""Facts of a release as Tutor runs it, and as this program plans it from public images, for comparison.

A fact is a path with a value: `mysql/image` → `docker.io/library/mysql:8.4.0`. Tutor is run, nothing of it is kept.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from config.portal import openedx
from config.tenant.tenant import Tenant
from tests.programs import ROOT, planned
from tests.recorder import Planned
from toolchain.paths import cache_directory

SECRET = ("PASSWORD", "SECRET", "KEY")
ROLE = ROOT / "images" / "configuration" / "roles" / "openedx"
# Compose's files that a production start reads.
COMPOSE = ("docker-compose.yml", "docker-compose.prod.yml")
LIMIT_SECONDS = 300


def install_tutor(requirements: Sequence[str]) -> Path:
    """A virtual environment of its own with these packages, made once; the path of its `tutor`."""
    key = hashlib.sha256("\n".join([sys.version, *requirements]).encode()).hexdigest()[:12]
    home = cache_directory(os.environ) / f"tutor-{key}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            run([sys.executable, "-m", "venv", "--clear", str(home / "venv")])
            run(
                [
                    str(home / "venv/bin/pip"),
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    *requirements,
                ]
            )
            (home / "done").touch()
    return home / "venv/bin/tutor"


def render_environment(tutor: Path, root: Path, plugins: Sequence[str], tenant: Tenant) -> Path:
    """Tutor's environment for a platform of the same names; it needs no network for that."""
    environ = {
        **os.environ,
        "TUTOR_ROOT": str(root),
        "TUTOR_PLUGINS_ROOT": str(root / "plugins"),
        "HOME": str(root),
    }
    for plugin in plugins:
        run([str(tutor), "plugins", "enable", plugin], environ)
    environment = {
        "LMS_HOST": tenant.hosts.lms,
        "CMS_HOST": tenant.hosts.cms,
        "PLATFORM_NAME": tenant.title,
        "CONTACT_EMAIL": tenant.admin.email,
        "ENABLE_HTTPS": "false",
    }
    run(
        [
            str(tutor),
            "config",
            "save",
            *(word for each in environment.items() for word in ("--set", "=".join(each))),
        ],
        environ,
    )
    return root / "env"


def run(words: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
    ended = subprocess.run(
        words, env=environ, capture_output=True, text=True, timeout=LIMIT_SECONDS, stdin=subprocess.DEVNULL
    )
    assert not ended.returncode, f"{' '.join(words)}: {ended.stdout}{ended.stderr}"


def tutor_facts(env: Path, names: Mapping[str, str]) -> dict[str, str]:
    """Facts of Tutor's environment; its services by our names, where it has others."""
    facts = {}
    for file in COMPOSE:
        services = yaml.safe_load((env / "local" / file).read_text())["services"]
        for name, composed in services.items():
            facts.update(dict(_composed(names.get(name, name), composed)))
    for path in sorted((env / "apps/openedx/config").glob("*.env.*")):
        facts.update(_settings(path.name.partition(".")[0], yaml.safe_load(path.read_text())))
    return facts


def _composed(name: str, composed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield name, "service"
    yield f"{name}/image", _whole(composed["image"])
    if "command" in composed:
        words = composed["command"]
        yield f"{name}/command", " ".join(words.split() if isinstance(words, str) else words)
    if "user" in composed:
        yield f"{name}/user", str(composed["user"]).partition(":")[0]
    for mount in composed.get("volumes") or []:
        _, path, *options = mount.split(":")
        yield f"{name}/mount {path}", "read-only" if "ro" in "".join(options) else "writable"
    for port in composed.get("ports") or []:
        yield f"{name}/port {str(port).rpartition(':')[2]}", "published"
    environment = composed.get("environment") or {}
    for each in (
        environment if isinstance(environment, dict) else [each.partition("=")[0] for each in environment]
    ):
        yield f"{name}/env {each}", "set"


def _whole(image: str) -> str:
    """With Docker Hub's own folder, which people leave out."""
    parts = image.split("/")
    return "/".join([parts[0], "library", parts[1]]) if len(parts) == 2 else image


def planned_facts(tenant: Tenant) -> dict[str, str]:
    """Facts of what the program plans for a tenant of public images."""
    facts: dict[str, str] = {}
    for container in planned(tenant).containers():
        if container.name in tenant.release.services:
            facts.update(dict(_planned(container, tenant)))
    for variant in openedx.VARIANTS:
        facts.update(_settings(variant, settings(tenant, variant)))
    return facts


def _planned(container: Planned, tenant: Tenant) -> Iterator[tuple[str, str]]:
    name, inputs = container.name, container.inputs
    public = tenant.release.services[name].hub.image
    yield name, "service"
    # One that is derived here is compared by what it is derived from.
    yield f"{name}/image", public or inputs["image"].partition(":")[0]
    if inputs.get("command"):
        yield f"{name}/command", " ".join(inputs["command"])
    yield f"{name}/user", inputs["user"]
    for volume in inputs.get("volumes") or []:
        mode = "read-only" if volume.get("readOnly") else "writable"
        yield f"{name}/mount {volume['containerPath']}", mode
    for path in inputs.get("tmpfs") or {}:
        yield f"{name}/mount {path}", "in memory"
    for upload in inputs.get("uploads") or []:
        yield f"{name}/mount {upload['file']}", "file"
    for port in inputs.get("ports") or []:
        yield f"{name}/port {port['internal']:.0f}", "published"
    for each in inputs.get("envs") or []:
        yield f"{name}/env {each.partition('=')[0]}", "set"


def settings(tenant: Tenant, variant: str) -> dict[str, Any]:
    """What lms or cms reads in the end: the role's own, with what the release, the tenant and the program say."""
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    values = {**defaults, **openedx.release_variables(tenant), **openedx.tenant_variables(tenant)}
    features = {**defaults["EDXAPP_FEATURES"], **openedx.release_variables(tenant).get("EDXAPP_FEATURES", {})}
    values["EDXAPP_FEATURES"] = features
    made = {}
    for key, template in yaml.safe_load((ROLE / "vars/main.yml").read_text())["openedx_settings"].items():
        variable = template.strip("{} ") if isinstance(template, str) else ""
        made[key] = values.get(variable, template)
    made |= values.get("EDXAPP_ENV_EXTRA", {})
    return {**made, **openedx.protected_env(tenant, variant), **openedx.protected_auth(tenant)}


def _settings(variant: str, configuration: Mapping[str, Any]) -> dict[str, str]:
    return {f"{variant}.env/{path}": value for path, value in _flat(configuration)}


def _flat(mapping: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in mapping.items():
        path = f"{above}{key}"
        if isinstance(value, dict) and set(value) == {"secret"}:
            yield path, "(secret)"
        elif isinstance(value, dict) and value:
            yield from _flat(value, f"{path}/")
        else:
            secret = any(word in str(key) for word in SECRET) and value
            yield path, "(secret)" if secret else json.dumps(value)
