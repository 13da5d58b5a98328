"""Puts what is missing onto the machine, one setup at a time."""

from toolchain.lock import held
from toolchain.making import Making
from toolchain.progress import Progress
from toolchain.stamps import Taken
from toolchain.standing import PARTS, Standing

LOCK_LIMIT = 3600.0  # seconds


def setup(
    standing: Standing, wanted: frozenset[str], forced: frozenset[str], progress: Progress
) -> dict[str, Taken]:
    """Make every wanted part stand, and say where each came from. Raises ToolchainError."""
    with held(standing.paths.lock, LOCK_LIMIT, progress.say):
        # The one we waited for may have done it all.
        there = {name: taken for name, taken in standing.all(wanted).items() if name not in forced}
        missing = wanted - set(there)
        if missing:
            there |= Making(standing, frozenset(missing), progress).make()
    return {name: there[name] for name in ("basics", "go", *PARTS) if name in there}
