"""Puts what is missing onto the machine, one setup at a time."""

from toolchain.lock import hold_lock
from toolchain.setup.installation import PARTS, Installation
from toolchain.setup.missing_parts import make_missing_parts
from toolchain.setup.progress import Progress
from toolchain.setup.stamps import PartResult

LOCK_LIMIT = 3600.0  # seconds


def setup(
    installation: Installation,
    parts: frozenset[str],
    forced: frozenset[str],
    progress: Progress,
    *,
    ahead: bool = False,
) -> dict[str, PartResult]:
    """Make every wanted part stand, and say where each came from. Raises ToolchainError.

    ahead: build the portal's images meanwhile, should the CLI have to be built.
    """
    with hold_lock(installation.paths.lock, LOCK_LIMIT, progress.say):
        # The one we waited for may have done it all.
        there = {name: result for name, result in installation.all(parts).items() if name not in forced}
        missing = parts - set(there)
        if missing:
            there |= make_missing_parts(installation, frozenset(missing), progress, ahead=ahead)
    return {name: there[name] for name in ("basics", "go", *PARTS, "portal-images") if name in there}
