"""`kill -9` at any moment of an `up`: the same command, run again, converges to a whole portal.

PORTAL_KILLS says how many (3 unless told), PORTAL_SEED makes a run the same again.
"""

import os
import random
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from testbed.checkout import Running
from testbed.processes import cli_started_by
from testbed.trial import Trial
from testbed.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200)]

KILLS = int(os.environ.get("PORTAL_KILLS", "3"))
SEED = int(os.environ.get("PORTAL_SEED") or random.SystemRandom().randrange(10**6))
# Nothing is there; a running portal is being changed; data is there and no container.
SCENES = ("empty", "changed", "kept")
# `pulumi` alone, as the kernel's out-of-memory killer does; or with `./portal`, as a closed terminal does.
VICTIMS = ("cli", "group")
# An `up` that changes a running portal starts five containers of fourteen.
SHARE = {"empty": 1.0, "kept": 0.9, "changed": 0.6}


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One case: what the `up` finds, who is killed, and when, as a share of the whole run."""

    number: int
    scene: str
    victim: str
    share: float

    def __str__(self) -> str:
        return f"{self.number}-{self.scene}-{self.victim}-at-{self.share:.2f}"


def cases(count: int, seed: int, victims: Sequence[str] = VICTIMS) -> list[Kill]:
    """Scenes and victims in turn, so that some kills meet every pair; moments at random."""
    chance = random.Random(seed)
    return [
        Kill(
            number=number,
            scene=SCENES[number % len(SCENES)],
            victim=victims[number % len(victims)],
            share=chance.random(),
        )
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def whole_seconds(oak: Trial) -> float:
    """How long an `up` from nothing takes here, undisturbed."""
    clear(oak)
    seconds = oak.up().seconds
    print(f"\nseed {SEED}; an up from nothing takes {seconds:.1f} s")
    return seconds


@pytest.mark.parametrize("kill", cases(KILLS, SEED), ids=str)
def test_an_up_after_a_kill_converges(oak: Trial, whole_seconds: float, kill: Kill) -> None:
    """A killed run must cost the operator one command, not an evening."""
    prepare(oak, kill)
    moment = kill.share * whole_seconds * SHARE[kill.scene]
    struck = strike(oak, kill, moment)
    print(f"\nseed {SEED}: {kill}: killed {moment:.1f} s after pulumi began; {struck}")
    ran = oak.up()
    print(f"converged in {ran.seconds:.1f} s")
    oak.assert_whole()


def test_the_language_hosts_of_killed_runs_end_by_themselves(oak: Trial) -> None:
    """Runs last: it waits out what the kills above have left."""
    oak.assert_no_language_host()


def prepare(portal: Trial, kill: Kill) -> None:
    """Bring the portal to where the run begins that will be killed."""
    if kill.scene == "empty":
        clear(portal)
    elif kill.scene == "kept":
        portal.destroy()
    else:
        # A new title is in the settings of six containers; a new size is an update or a replacement.
        portal.write(
            title=f"Oak University {kill.number}", sizes={"redis": {"memory": f"{128 + kill.number}MiB"}}
        )


def clear(portal: Trial) -> None:
    """Destroy the portal and delete its data, as before its first `up`."""
    portal.destroy()
    portal.objects.run_on_drive(portal.root, f"rm -rf /drive/{portal.name}")


def strike(portal: Trial, kill: Kill, moment: float) -> str:
    """Start an `up` and kill it `moment` seconds after its `pulumi up` began; returns how it ended."""
    running = portal.checkout.start("./portal", "up", portal.name, "--json")
    cli = until(
        "pulumi up to begin", lambda: cli_started_by(running.process.pid, "up") or ended(running), limit=120
    )
    assert not isinstance(cli, str), f"the up ended before pulumi began:\n{running.result(0)}"
    try:
        running.process.wait(timeout=moment)
        return "it had ended by itself before"
    except subprocess.TimeoutExpired:
        pass
    if kill.victim == "group":
        os.killpg(running.process.pid, signal.SIGKILL)
        return f"the whole group; {running.wait(30).code}"
    try:
        os.kill(cli.pid, signal.SIGKILL)
    except ProcessLookupError:
        return "pulumi had just ended by itself"
    ran = running.wait(60)
    assert ran.code != 0, str(ran)
    assert "Traceback" not in ran.output, str(ran)
    return f"pulumi alone; ./portal ended with exit code {ran.code}"


def ended(running: Running) -> str:
    """A word when the command is over already."""
    return "ended" if running.process.poll() is not None else ""
