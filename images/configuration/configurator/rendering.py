"""The settings files of one set of layers: made once, kept on the drive under the hash of all that went in.

Kept is what lies below the protected layer. That is laid over it, with its secrets, by each container from its own
files, into its own memory: nothing on the drive decides a host, a store or a key.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configurator import ansible, files, layers
from configurator.ansible import AnsibleError
from configurator.paths import Places

VARIANTS = ("lms", "cms")
GIVEN = ("release.json", "tenant.json", "protected.json")
KEPT = 8
LARGEST_BYTES = 4 * 1024 * 1024
_FOLDER = re.compile(r"[0-9a-f]{24}")


def layer(places: Places, name: str) -> dict[str, Any]:
    """What the program gave: a mapping. Raises ValueError."""
    said = json.loads((places.given / name).read_text(encoding="utf-8"))
    if not isinstance(said, dict):
        raise ValueError(f"{places.given / name}: a mapping is wanted")
    return said


def fingerprint(places: Places) -> str:
    """Hash of all that settings are made of but the overrides."""
    total = hashlib.sha256()
    parts = [path for path in places.home.glob("roles/**/*") if path.suffix in (".yml", ".py")]
    parts += [places.home / "variables.yml", places.home / "known.yml", *Path(__file__).parent.glob("*.py")]
    for path in (*sorted(parts), *(places.given / name for name in GIVEN)):
        total.update(f"{path}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def ensure(places: Places, overrides: Mapping[str, Any]) -> Path:
    """The folder of the settings for these overrides; Ansible runs if there is none. Raises AnsibleError, OSError."""
    both = f"{fingerprint(places)} {json.dumps(overrides, sort_keys=True)}"
    key = hashlib.sha256(both.encode()).hexdigest()[:24]
    found = places.rendered / key
    if not _whole(found):
        shutil.rmtree(found, ignore_errors=True)
        _render(places, overrides, found)
    os.utime(found)
    _prune(places)
    return found


def _render(places: Places, overrides: Mapping[str, Any], target: Path) -> None:
    values = layers.variables(layer(places, "release.json"), layer(places, "tenant.json"), overrides)
    of_role = {name: value for name, value in values.items() if name not in layers.SETTINGS}
    made = ansible.settings(places, of_role)
    partial = places.rendered / f".{target.name}.{secrets.token_hex(4)}"
    partial.mkdir(mode=0o750)
    try:
        for variant in VARIANTS:
            settings = layers.with_extra(made[variant], values, variant)
            files.write(partial / f"{variant}.json", _text(settings))
        partial.rename(target)
    except OSError:
        # Another container was as quick: the same hash, the same files.
        if not _whole(target):
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _text(settings: Mapping[str, Any]) -> bytes:
    return (json.dumps(settings, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def _whole(folder: Path) -> bool:
    """Whether a folder has both files: a drive that was full or lost its power may have left half of one."""
    try:
        return all(isinstance(_settings(folder, variant), dict) for variant in VARIANTS)
    except (OSError, ValueError):
        return False


def _settings(folder: Path, variant: str) -> Any:
    return json.loads((folder / f"{variant}.json").read_text(encoding="utf-8"))


def take(places: Places, folder: Path) -> dict[Path, bytes | None]:
    """Put the settings files, with the operator's settings and their secrets, where the software reads them.

    Returns what those had that are others now.
    """
    replaced: dict[Path, bytes | None] = {}
    protected = layer(places, "protected.json")

    def secret(name: str) -> str | None:
        data = files.read(places.secrets / name, 4096)
        return None if data is None else data.decode().strip("\n")

    for variant in VARIANTS:
        both = layers.protected_over(_settings(folder, variant), protected, variant, secret)
        for kind, settings in both.items():
            path, data = places.settings / f"{variant}.{kind}.json", _text(settings)
            before = files.read(path, LARGEST_BYTES)
            if before != data:
                files.write(path, data)
                replaced[path] = before
    return replaced


def _prune(places: Places) -> None:
    """What was not used for long goes; all of it can be made again."""
    found = [path for path in places.rendered.iterdir() if path.is_dir() and _FOLDER.fullmatch(path.name)]
    for path in sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


__all__ = ["AnsibleError", "ensure", "fingerprint", "layer", "take"]
