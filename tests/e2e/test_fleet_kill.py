"""`kill -9` at any moment of an `up --all`: the same command, run again, makes every portal whole.

PORTAL_KILLS says how many (3 unless told), PORTAL_SEED makes a run the same again.
"""

import contextlib
import os
import random
import signal
import subprocess

import pytest

from testbed.checkout import Running
from testbed.light import LightPortals
from testbed.processes import Process, processes
from testbed.trial import Trial
from tests.e2e.test_kill import KILLS, SEED, SHARE, Kill, cases

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(3600)]

TENANTS = 3
# All that runs of it, as when the machine goes down; the command alone; one of its workers; one CLI.
VICTIMS = ("all", "command", "worker", "cli")


def test_an_up_of_all_after_a_kill_converges(fleet: LightPortals) -> None:
    """A killed run costs the operator one command: nothing is made twice, no lock stays."""
    trials = fleet.trials(TENANTS)
    whole = together(fleet, "up")
    print(f"\nseed {SEED}; an up of {TENANTS} from nothing takes {whole:.1f} s")
    for kill in cases(KILLS, SEED, VICTIMS):
        prepare(fleet, trials, kill)
        moment = kill.share * whole * SHARE[kill.scene]
        struck = strike(fleet, kill, moment)
        seconds = together(fleet, "up")
        fleet.assert_whole(trials)
        print(f"{kill}: killed after {moment:.1f} s; {struck}; whole again in {seconds:.1f} s", flush=True)


def together(fleet: LightPortals, verb: str, *words: str) -> float:
    """A verb over all, which must succeed; its seconds."""
    ran = fleet.checkout.portal(verb, "--all", "--json", *words, limit=1200)
    assert ran.code == 0, str(ran)
    return ran.seconds


def prepare(fleet: LightPortals, trials: list[Trial], kill: Kill) -> None:
    """Bring the portals to where the run begins that will be killed."""
    if kill.scene == "changed":
        for each in trials:
            each.write(
                title=f"University {kill.number}", sizes={"redis": {"memory": f"{128 + kill.number}MiB"}}
            )
        return
    together(fleet, "destroy", "--confirm", ",".join(sorted(each.name for each in trials)))
    if kill.scene == "empty":
        for each in trials:
            each.objects.run_on_drive(each.root, f"rm -rf /drive/{each.name}")


def strike(fleet: LightPortals, kill: Kill, moment: float) -> str:
    """Start an `up --all` and kill what the case says `moment` seconds later; returns how it ended."""
    running = fleet.checkout.start("./portal", "up", "--all", "--json")
    try:
        running.process.wait(timeout=moment)
        return "it had ended by itself before"
    except subprocess.TimeoutExpired:
        pass
    struck = victims(running, kill)
    for each in struck:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGKILL)
    ran = running.wait(300)
    assert "Traceback" not in ran.output, str(ran)
    return f"{len(struck)} processes; exit code {ran.code}"


def victims(running: Running, kill: Kill) -> list[Process]:
    """What of a command's processes is to be killed; the command itself where nothing else runs yet."""
    children = below(running.process.pid)
    chance = random.Random(kill.share)
    workers = [each for each in children if "automation.fleet.worker" in each.words]
    clis = [each for each in children if each.words and each.words[0].rpartition("/")[2] == "pulumi"]
    command = [each for each in children if each.pid == running.process.pid]
    some = {"command": command, "worker": workers, "cli": clis, "all": children}[kill.victim]
    if kill.victim in ("worker", "cli") and some:
        return [chance.choice(some)]
    return some or command


def below(pid: int) -> list[Process]:
    """A process and all that it has started."""
    running = {each.pid: each for each in processes()}
    descendants = [running[pid]] if pid in running else []
    for each in descendants:
        descendants.extend(child for child in running.values() if child.parent == each.pid)
    return descendants
