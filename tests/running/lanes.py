"""How tests are given to several workers: tests that share a portal stay with one worker, in their order."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.running import families


class Lanes(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each whole lane to the next free worker, in the order of the collection."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)
        self._families = families.load()

    def _split_scope(self, nodeid: str) -> str:
        return families.lane_of(nodeid, self._families)


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """Families with a lane first: what is begun last is short, so that no worker is at the end alone for long."""
    known = families.load()
    rank = {each.name: place for place, each in enumerate(known)}
    return sorted(items, key=lambda item: rank[families.family_of(item.nodeid, known).name])
