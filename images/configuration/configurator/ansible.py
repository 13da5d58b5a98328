"""Runs the playbook once: it makes settings of variables, and sees a placeholder instead of each value."""

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
from configurator.paths import Paths

# Ansible needs about 1 s of CPU; ten portals that start at once share two cores.
LIMIT_SECONDS = 120.0


class AnsibleError(Exception):
    """Ansible failed, or wrote incomplete settings; str() says why.

    It gets no text of a layer. So the reason is never such a text, but memory, the drive, time, or the role itself.
    """


def role_variables(paths: Paths) -> frozenset[str]:
    """The variables that the role has a default for."""
    defaults = yaml.safe_load((paths.home / "roles/openedx/defaults/main.yml").read_text(encoding="utf-8"))
    return frozenset(defaults)


def render_settings(paths: Paths, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings of each variant (lms, cms) for these values of the role's variables. Raises AnsibleError."""
    if unknown := sorted(set(values) - role_variables(paths)):
        raise AnsibleError(f"the role has no variable {unknown[0][:80]!a}")
    hidden, originals = placeholders.hide_values(values)
    try:
        with tempfile.TemporaryDirectory(prefix="ansible-") as folder:
            rendered = run_playbook(paths, hidden, Path(folder))
        return {
            variant: _as_mapping(placeholders.restore_values(content, originals))
            for variant, content in rendered.items()
        }
    except (OSError, ValueError) as error:
        raise AnsibleError(f"Ansible: {error}") from error


def _as_mapping(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ValueError("a file of the role is no mapping")
    return content


def run_playbook(paths: Paths, variables: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
    """What the playbook writes for these variables, by variant. Raises AnsibleError, OSError or ValueError."""
    output = scratch / "output"
    output.mkdir()
    variables_file = scratch / "variables.json"
    variables_file.write_text(json.dumps({**variables, "output": str(output)}), encoding="utf-8")
    _run_ansible(paths, variables_file, scratch)
    return {
        variant: json.loads((output / f"{variant}.env.json").read_text(encoding="utf-8"))
        for variant in ("lms", "cms")
    }


def _run_ansible(paths: Paths, variables_file: Path, scratch: Path) -> None:
    process = subprocess.Popen(
        [
            str(paths.home / "venv/bin/ansible-playbook"),
            *("--inventory", "localhost,"),
            *("--extra-vars", f"@{variables_file}"),
            str(paths.home / "playbook.yml"),
        ],
        env={
            "ANSIBLE_CONFIG": str(paths.home / "ansible.cfg"),
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
        # Its children keep the pipes open: the whole process group is killed together.
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
        output = " ".join((err.strip() or out.strip()).split())
        raise AnsibleError(f"Ansible ended with {process.returncode}: {output[-500:]}")
