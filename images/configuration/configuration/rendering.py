"""The settings files of one set of layers: made by Ansible once, kept on the drive under the hash of all that went in."""

import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from configuration import files
from configuration.places import Places
from configuration.refusal import Refusal

FILES = ("lms.env.json", "lms.auth.json", "cms.env.json", "cms.auth.json")
# In Ansible's order of extra variables: the last wins. The overrides stand between tenant and protected.
BELOW, ABOVE = ("release.yml", "tenant.yml"), ("protected.yml",)
# Ansible needs about 1 s of CPU; ten portals that start at once share two cores.
LIMIT_SECONDS = 120
KEPT = 8
LARGEST_BYTES = 4 * 1024 * 1024
_TEMPLATE = re.compile(r"\{[{%#]")
_SECRET = re.compile(r"secret:([a-z0-9-]+)")


class AnsibleError(Exception):
    """Ansible did not get to its end; str() is its last words."""


class _Unsafe(str):
    """A text that Ansible takes as it is, whatever braces are in it."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def layer(places: Places, name: str) -> dict[str, Any]:
    """What the program gave: a mapping of variables."""
    said = yaml.safe_load((places.given / name).read_text(encoding="utf-8")) or {}
    if not isinstance(said, dict):
        raise ValueError(f"{places.given / name}: a mapping is wanted")
    return said


def protected(places: Places) -> dict[str, Any]:
    """The last layer: `PORTAL_PROTECTED_ENV` and `PORTAL_PROTECTED_AUTH`, each by variant."""
    return layer(places, "protected.yml")


def own(places: Places) -> frozenset[str]:
    """The settings that the operator's own files set: no override may name them."""
    said = protected(places)
    return frozenset(key for part in said.values() for variant in part.values() for key in variant)


def fingerprint(places: Places) -> str:
    """Hash of all that settings are made of but the overrides."""
    total = hashlib.sha256()
    parts = sorted(path for path in places.home.glob("roles/**/*") if path.suffix in (".yml", ".py"))
    for path in (*parts, places.home / "variables.yml", *(places.given / name for name in (*BELOW, *ABOVE))):
        total.update(f"{path}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def ensure(places: Places, data: bytes, values: Mapping[str, Any]) -> Path:
    """The folder of the settings files for these overrides; Ansible runs if there is none. Raises AnsibleError."""
    both = f"{fingerprint(places)} {hashlib.sha256(data).hexdigest()}"
    key = hashlib.sha256(both.encode()).hexdigest()[:24]
    found = places.rendered / key
    if not found.is_dir():
        partial = places.rendered / f".{key}.{secrets.token_hex(4)}"
        partial.mkdir(mode=0o750)
        try:
            run_ansible(places, values, partial)
            verify(partial, protected(places))
            partial.rename(found)
        except OSError:
            # Another container was as quick: the same hash, the same files.
            if not found.is_dir():
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    os.utime(found)
    _prune(places)
    return found


def run_ansible(places: Places, overrides: Mapping[str, Any], output: Path) -> None:
    """The playbook, with the layers in their order. Raises AnsibleError."""
    with tempfile.TemporaryDirectory(prefix="ansible-") as folder:
        scratch = Path(folder)
        words: list[str] = []
        told = [layer(places, name) for name in BELOW] + [dict(overrides)]
        told += [layer(places, name) for name in ABOVE] + [{"output": str(output)}]
        for number, values in enumerate(told):
            file = scratch / f"{number}.yml"
            file.write_text(yaml.dump(_unsafe(values), Dumper=_Dumper, allow_unicode=True), encoding="utf-8")
            words += ["--extra-vars", f"@{file}"]
        done = subprocess.run(
            [
                str(places.home / "venv/bin/ansible-playbook"),
                *("--inventory", "localhost,"),
                *words,
                str(places.home / "playbook.yml"),
            ],
            env={
                "ANSIBLE_CONFIG": str(places.home / "ansible.cfg"),
                "ANSIBLE_LOCAL_TEMP": folder,
                "ANSIBLE_HOME": folder,
                "HOME": folder,
                "LANG": "C.UTF-8",
                "PATH": "/usr/local/bin:/usr/bin:/bin",
            },
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    if done.returncode:
        said = " ".join((done.stderr.strip() or done.stdout.strip()).split())
        raise AnsibleError(f"Ansible ended with {done.returncode}: {said[-500:]}")


def verify(folder: Path, said: Mapping[str, Any]) -> None:
    """Raises Refusal unless all four files are whole and say what the operator protects. A second lock on one door."""
    for name in FILES:
        variant, kind, _ = name.split(".")
        try:
            settings = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Refusal(f"Ansible wrote no whole {name}: {error}") from None
        for key, value in said[f"PORTAL_PROTECTED_{kind.upper()}"][variant].items():
            if settings.get(key) != value:
                raise Refusal(f"{name} would have another {key} than the operator's")


def take(places: Places, folder: Path) -> dict[Path, bytes | None]:
    """Put settings files, their secrets filled in, where the software reads them; what those had that are others now."""
    replaced: dict[Path, bytes | None] = {}
    for name in FILES:
        settings = json.loads((folder / name).read_text(encoding="utf-8"))
        data = (json.dumps(filled(settings, places.secrets), indent=2, sort_keys=True) + "\n").encode()
        path = places.settings / name
        before = files.read(path, LARGEST_BYTES)
        if before != data:
            files.write(path, data)
            replaced[path] = before
    return replaced


def filled(value: Any, folder: Path) -> Any:
    """A value with each text `secret:NAME` replaced by the secret; one that this container does not have stays out."""
    if isinstance(value, dict):
        inner = {key: filled(each, folder) for key, each in value.items()}
        return {key: each for key, each in inner.items() if each is not None or value[key] is None}
    if isinstance(value, list):
        return [filled(each, folder) for each in value]
    if isinstance(value, str) and (found := _SECRET.fullmatch(value)):
        data = files.read(folder / found[1], 4096)
        return None if data is None else data.decode().strip("\n")
    return value


def _unsafe(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _unsafe(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_unsafe(each) for each in value]
    # Only where there is something to evaluate, for Ansible takes `!unsafe "off"` for a truth value.
    return _Unsafe(value) if isinstance(value, str) and _TEMPLATE.search(value) else value


def _prune(places: Places) -> None:
    """What was not used for long goes; all of it can be made again."""
    found = [path for path in places.rendered.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for path in sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
