"""`./portal images prune` removes what nobody wants, after it was asked for, and nothing else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from automation.commands import images as command
from automation.errors import NotConfirmed
from automation.images import listing
from automation.images.builder import FOLDER
from automation.images.listing import Row
from automation.portals import image_supply
from config.images import references
from tests.fake_engine import FakeEngine, container

CURRENT = references(FOLDER)["redis"]
OLD = f"portals/redis:{'0' * 16}"
USED = f"portals/redis:{'1' * 16}"
DERIVED = f"portals/openedx-standin:{'2' * 16}"
STUCK = f"portals/nginx:{'3' * 16}"
FOREIGN = "portals/somebody-elses:1"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """`USED` has a container, and `STUCK` is the parent of another."""
    made = FakeEngine(
        images=[CURRENT, OLD, USED, DERIVED, STUCK, FOREIGN],
        containers={"container": container(image=USED, state="exited")},
        stuck=[STUCK],
    )

    @contextmanager
    def connect(docker_host: str) -> Iterator[FakeEngine]:
        yield made

    monkeypatch.setattr(listing, "engine", connect)
    monkeypatch.setattr(image_supply, "unwanted_images", lambda host: listing.superseded(spare={DERIVED}))
    return made


def run(*words: str) -> Any:
    return CliRunner().invoke(command.app, ["prune", *words])


def test_what_is_wanted_or_used_or_not_ours_is_spared(engine: FakeEngine) -> None:
    assert listing.superseded(spare={DERIVED}) == [STUCK, OLD]
    assert listing.superseded() == [STUCK, DERIVED, OLD]


def test_a_dry_run_removes_nothing(engine: FakeEngine) -> None:
    before = list(engine.tags)
    ran = run("--dry-run", "--json")
    assert json.loads(ran.stdout) == {"found": [STUCK, OLD], "removed": []}
    assert "2 images would be removed" in run("--dry-run").stdout
    assert engine.tags == before


@pytest.mark.parametrize("words", [(), ("--confirm", "yes"), ("--json",)])
def test_nothing_goes_that_was_not_confirmed(engine: FakeEngine, words: tuple[str, ...]) -> None:
    before = list(engine.tags)
    ran = run(*words)
    assert isinstance(ran.exception, NotConfirmed)
    assert ran.exception.exit_code == 3
    assert engine.tags == before


def test_what_goes_and_what_stays_is_told(engine: FakeEngine) -> None:
    ran = run("--confirm", "prune")
    assert ran.stdout.splitlines() == [
        "1 image removed",
        "image",
        f"{STUCK}  kept: it is in use now",
        OLD,
    ]
    assert OLD not in engine.tags
    assert {CURRENT, USED, DERIVED, STUCK, FOREIGN} <= set(engine.tags)
    engine.tags.remove(STUCK)
    assert run().stdout == "0 images removed\n"


def test_a_row_is_plain_data() -> None:
    row = Row(role="mysql", reference="portals/mysql:0", present=False, megabytes=None, created=None)
    assert row.facts() == {
        **{"role": "mysql", "reference": "portals/mysql:0", "present": False},
        **{"megabytes": None, "created": None},
    }
