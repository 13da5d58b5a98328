"""For all tests: how workers share them, and how long each family took."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

# Hypothesis' pytest plugin imports it at the very end of a run that did not use it, from so deep a stack that
# CPython 3.11's parser refuses ("AST constructor recursion depth mismatch", https://github.com/python/cpython/issues/106905).
import hypothesis  # noqa: F401
import pytest

from tests.running import families
from tests.running.families import Spent
from tests.running.lanes import Lanes, in_order
from tests.running.turns import turn

# The folder of the locks by which workers take turns; of a run with workers alone.
TURNS = pytest.StashKey[Path]()
# The turn that a worker has.
TURN = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    if worker := getattr(config, "workerinput", None):
        config.stash[TURNS] = Path(worker["turns"])
    elif config.option.numprocesses:
        folder = tempfile.TemporaryDirectory(prefix="portals-turns-")
        config.add_cleanup(folder.cleanup)
        config.stash[TURNS] = Path(folder.name)


def pytest_configure_node(node: Any) -> None:
    """What a worker is told at its begin."""
    node.workerinput["turns"] = str(node.config.stash[TURNS])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    return Lanes(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if TURNS in config.stash:
        items[:] = in_order(items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Tests of several workers that use the engine do so side by side, but for those that look at all of it.

    One after the other of these is alone in one turn: each turn waits for what the others are at.
    """
    stash, alone = item.config.stash, is_alone(item)
    if TURNS in stash and item.get_closest_marker("e2e") and TURN not in stash:
        stash[TURN] = ExitStack()
        stash[TURN].enter_context(turn(stash[TURNS], alone=alone))
    try:
        return (yield)
    finally:
        if TURN in stash and not (alone and is_alone(nextitem)):
            stash[TURN].close()
            del stash[TURN]


def is_alone(item: pytest.Item | None) -> bool:
    """Whether a test looks at all of the engine or its host."""
    return item is not None and item.get_closest_marker("alone") is not None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What each family took, at the end of a run of all tests."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    known = families.load()
    spent: dict[str, Spent] = {}
    for reports in terminalreporter.stats.values():
        for each in reports:
            if isinstance(each, pytest.TestReport):
                of = spent.setdefault(families.family_of(each.nodeid, known).name, Spent())
                of.tests.add(each.nodeid)
                of.seconds += each.duration
    if not spent:
        return
    terminalreporter.section("families of tests")
    for line in families.report(spent, known, os.getloadavg()[0], os.cpu_count() or 1):
        terminalreporter.line(line)
