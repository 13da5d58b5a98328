"""One run of the playbook: it turns variables into the settings files' text, and sees none but stand-ins of them."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from configurator import placeholders
from configurator.paths import Places

# Ansible needs about 1 s of CPU; ten portals that start at once share two cores.
LIMIT_SECONDS = 120.0


class AnsibleError(Exception):
    """Ansible did not get to its end, or wrote no whole settings; str() says which.

    No text of a layer reaches it, so that none can be the reason: memory, the drive, time, or the role itself.
    """


def known(places: Places) -> frozenset[str]:
    """The variables that the role has a default for."""
    said = yaml.safe_load((places.home / "roles/openedx/defaults/main.yml").read_text(encoding="utf-8"))
    return frozenset(said)


def settings(places: Places, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The role's settings by variant for these values of its variables. Raises AnsibleError."""
    if strange := sorted(set(values) - known(places)):
        raise AnsibleError(f"the role has no variable {strange[0][:80]!a}")
    hidden, kept = placeholders.hide(values)
    try:
        with tempfile.TemporaryDirectory(prefix="ansible-") as folder:
            made = run(places, hidden, Path(folder))
        return {variant: _mapping(placeholders.show(said, kept)) for variant, said in made.items()}
    except (OSError, ValueError) as error:
        raise AnsibleError(f"Ansible: {error}") from error


def _mapping(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise ValueError("a file of the role is no mapping")
    return said


def run(places: Places, variables: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
    """What the playbook writes for these variables, by variant. Raises AnsibleError, OSError or ValueError."""
    output = scratch / "output"
    output.mkdir()
    given = scratch / "variables.json"
    given.write_text(json.dumps({**variables, "output": str(output)}), encoding="utf-8")
    _playbook(places, given, scratch)
    return {
        variant: json.loads((output / f"{variant}.env.json").read_text(encoding="utf-8"))
        for variant in ("lms", "cms")
    }


def _playbook(places: Places, given: Path, scratch: Path) -> None:
    process = subprocess.Popen(
        [
            str(places.home / "venv/bin/ansible-playbook"),
            *("--inventory", "localhost,"),
            *("--extra-vars", f"@{given}"),
            str(places.home / "playbook.yml"),
        ],
        env={
            "ANSIBLE_CONFIG": str(places.home / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(scratch),
            "ANSIBLE_HOME": str(scratch),
            "HOME": str(scratch),
            "LANG": "C.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        },
        cwd=scratch,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        # Its own children hold the pipes open: all of them are ended together.
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        raise AnsibleError(f"waited {LIMIT_SECONDS:.0f} s for Ansible to end") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode:
        said = " ".join((err.strip() or out.strip()).split())
        raise AnsibleError(f"Ansible ended with {process.returncode}: {said[-500:]}")
