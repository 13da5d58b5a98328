"""Two operators on one portal: nobody's lock is broken while it may be held, and a dead one's is no obstacle."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from config.portal.labels import tenant_filter
from testbed.checkout import Running
from testbed.light import LightPortals
from testbed.processes import cli_started_by
from testbed.trial import Trial
from testbed.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

# Another container's view of this machine: the same host name, none of its processes.
ELSEWHERE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.fixture
def birch(fleet: LightPortals) -> Trial:
    """A light portal that is not up."""
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("another PID namespace takes root")
    return fleet.trial(1)


def held(portal: Trial) -> Running:
    """An `up` that has begun to make containers, and Pulumi's lock is there."""
    running = portal.checkout.start("./portal", "up", portal.name, "--json")
    until(
        "the first containers of the up",
        lambda: len(portal.objects.ids(portal.name)) > 3 or running.process.poll() is not None,
        limit=120,
    )
    assert running.process.poll() is None, str(running.result(0))
    assert locks(portal)
    return running


def locks(portal: Trial) -> list[Path]:
    """Pulumi's locks of a portal."""
    return sorted((portal.checkout.backend / "locks").rglob("*.json"))


def events(portal: Trial, since: int) -> list[str]:
    """Names of the containers that were removed since a moment."""
    events_stream = portal.objects.client.events(
        since=since,
        until=until_now(portal),
        filters={"event": "destroy", **tenant_filter(portal.name)},
        decode=True,
    )
    return [each["Actor"]["Attributes"]["name"] for each in events_stream]


def until_now(portal: Trial) -> int:
    """The engine's clock, one second on: what has happened by now is before it."""
    from datetime import datetime

    now = portal.objects.client.info()["SystemTime"]
    return int(datetime.fromisoformat(now).timestamp()) + 1


def test_an_up_that_cannot_be_seen_is_left_alone(birch: Trial) -> None:
    """From another PID namespace the second waits, the first ends well, and no container was removed meanwhile."""
    since = until_now(birch) - 1
    first = held(birch)
    second = birch.checkout.start(*ELSEWHERE, "./portal", "up", birch.name, "--json")
    one, two = first.wait(300), second.wait(300)
    assert one.code == 0, str(one)
    assert two.code == 0, str(two)
    assert f"which is changing portal {birch.name}" in two.output, str(two)
    assert "removed" not in two.output, str(two)
    assert two.facts()["changes"] == [], str(two)
    assert events(birch, since) == []
    birch.assert_whole()


def test_a_plain_pulumi_that_cannot_be_seen_is_not_judged(birch: Trial) -> None:
    """It holds Pulumi's lock alone: seen it is waited for, unseen the second is refused with the remedy, at once."""
    name = birch.name
    begun = birch.checkout.shell(f"pulumi stack init --no-select --non-interactive {name}")
    assert begun.code == 0, str(begun)
    plain = birch.checkout.start(
        "bash", "-ec", f'eval "$(./portal env)"; exec pulumi up --yes --skip-preview --stack {name}'
    )
    until("the plain CLI's lock", lambda: locks(birch) or plain.process.poll() is not None, limit=120)
    assert locks(birch), str(plain.result(0))
    refused = birch.checkout.run(*ELSEWHERE, "./portal", "up", birch.name, limit=60)
    assert refused.code == 4, str(refused)
    assert f"pulumi cancel --stack {birch.name}" in refused.output, str(refused)
    result = birch.checkout.portal("up", birch.name, "--json")
    assert result.code == 0, str(result)
    assert "removed" not in result.output, str(result)
    ran = plain.wait(300)
    assert ran.code == 0, str(ran)
    birch.assert_whole()


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["all", "command"])
def test_a_run_killed_where_it_could_not_be_seen_is_healed(birch: Trial, victim: str) -> None:
    """The kernel's lock is the proof: the same command goes on, without asking, from another PID namespace."""
    running = birch.checkout.start(*ELSEWHERE, "./portal", "up", birch.name, "--json")
    until(
        "the first containers of the up",
        lambda: len(birch.objects.ids(birch.name)) > 3 or running.process.poll() is not None,
        limit=120,
    )
    cli = until("its CLI", lambda: cli_started_by(running.process.pid, "up"))
    assert cli is not None
    struck = running.process.pid if victim == "all" else cli.parent
    # Its namespace goes with the first process of it.
    os.kill(struck, signal.SIGKILL)
    running.process.wait(timeout=60)
    ran = birch.checkout.run(*ELSEWHERE, "./portal", "up", birch.name, "--json")
    assert ran.code == 0, str(ran)
    birch.assert_whole()
