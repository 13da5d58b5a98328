"""Helpers that killed commands left behind."""

from config.portal.labels import HELPER
from preflight import helper
from tests.fake_engine import FakeEngine, container

NOW = 100_000.0


def test_what_killed_commands_left_goes_and_nothing_else() -> None:
    old, fresh, ours = NOW - 2 * helper.LEFT_SECONDS, NOW - 1, {HELPER: ""}
    engine = FakeEngine(
        containers={
            "killed before its start": container(state="created", created=old, labels=ours),
            "killed after its end": container(state="exited", created=old, labels=ours),
            "still deleting": container(state="running", created=old, labels=ours),
            "being read just now": container(state="exited", created=fresh, labels=ours),
            "somebody else's": container(state="exited", created=old),
        }
    )
    helper.remove_leftovers(engine, NOW)
    assert set(engine.there) == {"still deleting", "being read just now", "somebody else's"}
