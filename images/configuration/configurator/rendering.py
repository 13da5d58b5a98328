"""Renders settings files once for each set of layers, and keeps them on the drive under the hash of all inputs.

The drive holds the settings without the protected layer. Each container merges that layer, with its secrets, over them
in its own memory. So nothing on the drive decides a host, a store or a key.
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
from configurator.paths import Paths

VARIANTS = ("lms", "cms")
LAYER_FILES = ("release.json", "tenant.json", "protected.json")
KEPT_FOLDERS = 8
LARGEST_BYTES = 4 * 1024 * 1024
_FOLDER = re.compile(r"[0-9a-f]{24}")


def read_layer(paths: Paths, name: str) -> dict[str, Any]:
    """A layer that the program wrote, a mapping. Raises ValueError."""
    content = json.loads((paths.layers / name).read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{paths.layers / name}: expected a mapping")
    return content


def fingerprint(paths: Paths) -> str:
    """The hash of all inputs of the settings except the overrides: the rules of now."""
    total = hashlib.sha256()
    parts = [path for path in paths.home.glob("roles/**/*") if path.suffix in (".yml", ".py")]
    parts += [paths.home / "variables.yml", paths.home / "known.yml", *Path(__file__).parent.glob("*.py")]
    for path in (*sorted(parts), *(paths.layers / name for name in LAYER_FILES)):
        total.update(f"{path}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def ensure_rendered(paths: Paths, overrides: Mapping[str, Any]) -> Path:
    """The folder with the settings for these overrides; Ansible runs if it is not there. Raises AnsibleError, OSError."""
    inputs = f"{fingerprint(paths)} {json.dumps(overrides, sort_keys=True)}"
    key = hashlib.sha256(inputs.encode()).hexdigest()[:24]
    folder = paths.rendered / key
    if not _is_complete(folder):
        shutil.rmtree(folder, ignore_errors=True)
        _render(paths, overrides, folder)
    os.utime(folder)
    _delete_unused(paths)
    return folder


def _render(paths: Paths, overrides: Mapping[str, Any], target: Path) -> None:
    values = layers.merged_layers(
        read_layer(paths, "release.json"), read_layer(paths, "tenant.json"), overrides
    )
    role_values = {name: value for name, value in values.items() if name not in layers.SETTINGS}
    rendered = ansible.render_settings(paths, role_values)
    partial = paths.rendered / f".{target.name}.{secrets.token_hex(4)}"
    partial.mkdir(mode=0o750)
    try:
        for variant in VARIANTS:
            settings = layers.with_extra(rendered[variant], values, variant)
            files.write(partial / f"{variant}.json", _json_bytes(settings))
        partial.rename(target)
    except OSError:
        # Another container has rendered them meanwhile: the same hash means the same files.
        if not _is_complete(target):
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _json_bytes(settings: Mapping[str, Any]) -> bytes:
    return (json.dumps(settings, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def _is_complete(folder: Path) -> bool:
    """Whether a folder has both files, readable: a full drive or a power failure may have left half a file."""
    try:
        return all(isinstance(_read_settings(folder, variant), dict) for variant in VARIANTS)
    except (OSError, ValueError):
        return False


def _read_settings(folder: Path, variant: str) -> Any:
    return json.loads((folder / f"{variant}.json").read_text(encoding="utf-8"))


def install_settings(paths: Paths, folder: Path) -> dict[Path, bytes | None]:
    """Write the settings files, with the protected layer and its secrets, where the software reads them.

    Returns the earlier content of each file that changed, None if there was no file.
    """
    replaced: dict[Path, bytes | None] = {}
    protected = read_layer(paths, "protected.json")

    def secret(name: str) -> str | None:
        data = files.read(paths.secrets / name, 4096)
        return None if data is None else data.decode().strip("\n")

    for variant in VARIANTS:
        contents = layers.with_protected(_read_settings(folder, variant), protected, variant, secret)
        for kind, settings in contents.items():
            path, data = paths.settings / f"{variant}.{kind}.json", _json_bytes(settings)
            before = files.read(path, LARGEST_BYTES)
            if before != data:
                files.write(path, data)
                replaced[path] = before
    return replaced


def _delete_unused(paths: Paths) -> None:
    """Delete the folders that were not used for the longest time; they can be rendered again."""
    folders = [path for path in paths.rendered.iterdir() if path.is_dir() and _FOLDER.fullmatch(path.name)]
    for path in sorted(folders, key=lambda each: each.stat().st_mtime, reverse=True)[KEPT_FOLDERS:]:
        shutil.rmtree(path, ignore_errors=True)


__all__ = ["AnsibleError", "ensure_rendered", "fingerprint", "install_settings", "read_layer"]
