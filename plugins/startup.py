"""A short start: a preview of a portal that is as it should be is mostly the start of Python processes."""

import gc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

UNUSED = ("pulumi.automation", "pulumi.dynamic", "pulumi.policy")
"""Parts of the SDK that `import pulumi` brings along, a quarter of its time, and no plugin touches."""


class Postponed:
    """Finds some modules as ever, but loads each only when something in it is asked for."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = set(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's spec with a loader that puts its work off; None for any other module."""
        if fullname not in self.names:
            return None
        self.names.discard(fullname)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


def postpone_unused(postponed: Sequence[str] = UNUSED) -> None:
    """Postpone what may not be used, and collect no garbage while everything else is still being loaded."""
    gc.disable()
    sys.meta_path.insert(0, Postponed(postponed))


def freeze_objects() -> None:
    """Everything is loaded: it stays, and is not looked through again."""
    gc.freeze()
    gc.enable()
