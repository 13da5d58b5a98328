"""Several workers: what shares a portal is one worker's, in the order of the files, and it is begun first."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from tests.running.lanes import Lanes, in_order

TESTS = [
    "tests/unit/config/tenant/test_tenant.py::test_a",
    "tests/e2e/test_browser.py::test_a",
    "tests/unit/config/tenant/test_tenant.py::test_b",
    "tests/e2e/test_openedx_standin.py::test_a",
    "tests/e2e/test_portal.py::test_a[x@y]",
    "tests/contract/test_house.py::test_a",
    "tests/security/test_host.py::test_a",
]
ORDER = [TESTS[each] for each in (1, 4, 6, 3, 5, 0, 2)]


@dataclass(eq=False)
class Node:
    """A worker that writes down which tests it is told to run."""

    name: str
    tests: list[str] = field(default_factory=list)
    shutting_down: bool = False

    @property
    def gateway(self) -> SimpleNamespace:
        return SimpleNamespace(id=self.name)

    def send_runtest_some(self, numbers: list[int]) -> None:
        self.tests += [ORDER[number] for number in numbers]

    def shutdown(self) -> None:
        self.shutting_down = True


def scheduler(workers: int) -> Any:
    config: Any = SimpleNamespace(
        option=SimpleNamespace(loadscopereorder=True), getvalue=lambda name: [f"{workers}*popen"]
    )
    return Lanes(config, SimpleNamespace(loadscopesched=lambda *options: None))


def test_lanes_are_begun_first_and_keep_their_order() -> None:
    items: list[Any] = [SimpleNamespace(nodeid=each) for each in TESTS]
    assert [each.nodeid for each in in_order(items)] == ORDER


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_lane_is_one_workers(workers: int) -> None:
    made, nodes = scheduler(workers), [Node(name=f"gw{number}") for number in range(workers)]
    for node in nodes:
        made.add_node(node)
        made.add_node_collection(node, ORDER)
    made.schedule()
    ran: dict[str, list[str]] = {node.name: [] for node in nodes}
    while made.has_pending:
        for node in nodes:
            waiting = [each for each in node.tests if each not in ran[node.name]]
            if waiting:
                ran[node.name].append(waiting[0])
                made.mark_test_complete(node, ORDER.index(waiting[0]))
    assert sorted(each for tests in ran.values() for each in tests) == sorted(ORDER)
    lane = ORDER[:3]
    assert next(tests for tests in ran.values() if set(lane) & set(tests))[:3] == lane
    assert sum(bool(set(lane) & set(tests)) for tests in ran.values()) == 1
