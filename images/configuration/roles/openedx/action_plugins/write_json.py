"""Writes a value as JSON, whole or not at all.

An action of the controller's own process: `copy` and `template` start two more Python processes a file, and are not
atomic with a mode that was never wider.
"""

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

MODE = 0o640


class ActionModule(ActionBase):
    """`path` and `content`; keys are sorted, so that equal settings are equal files."""

    _requires_connection = False
    _VALID_ARGS = frozenset(("path", "content"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        path = Path(self._task.args["path"])
        text = json.dumps(self._task.args["content"], indent=2, sort_keys=True, allow_nan=False) + "\n"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return {**result, "changed": False}
        partial = path.with_name(f".{path.name}.partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        return {**result, "changed": True}
