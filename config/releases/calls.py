"""Checks who calls whom in a release: every name is there, and who shares a network has the same callers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Any

from config.reading.keys import Reading
from config.reading.words import comma_separated, did_you_mean, quoted
from config.values.networks import MIXED


def check(reading: Reading, services: Iterable[str], jobs: Iterable[str]) -> None:
    """Notes what is wrong with the keys `networks` and `calls` of a release's services and jobs."""
    known = list(services)
    callers: dict[str, set[str]] = {each: set() for each in known}
    for path, caller in [
        *((f"services/{each}", each) for each in known),
        *((f"jobs/{each}", each) for each in jobs),
    ]:
        for called in _value(reading, path, "calls"):
            if called == caller:
                reading.wrong(
                    f"{path}/calls", f"{quoted(called)} is the service itself, expected other services"
                )
            elif called not in callers:
                guess = did_you_mean(called, known) or ";"
                reading.wrong(
                    f"{path}/calls",
                    f"{quoted(called)} is not a service of this release{guess} there are: {comma_separated(known)}",
                )
            elif not _value(reading, f"services/{called}", "networks"):
                reading.wrong(
                    f"{path}/calls", f"{quoted(called)} answers on no network, expected one in its networks"
                )
            else:
                callers[called].add(caller)
    _apart(reading, known, callers)


def _apart(reading: Reading, known: list[str], callers: dict[str, set[str]]) -> None:
    for one, other in combinations(known, 2):
        shared = set(_value(reading, f"services/{one}", "networks")) & set(
            _value(reading, f"services/{other}", "networks")
        )
        for network in sorted(shared - MIXED):
            # Who calls the other is on its network anyway.
            if one in callers[other] or other in callers[one] or callers[one] == callers[other]:
                continue
            called = (
                f"{comma_separated(sorted(callers[one]))}, not by {comma_separated(sorted(callers[other]))}"
            )
            reading.wrong(
                f"services/{other}/networks",
                f"'{network}' is also a network of {one}, which is called by {called}, expected another network",
            )


def _value(reading: Reading, path: str, key: str) -> Any:
    return reading.values.get(f"{path}/{key}") or ()
