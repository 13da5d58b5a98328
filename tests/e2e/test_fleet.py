"""Many portals in one command, and what may go wrong meanwhile: the others proceed, and the report is exact."""

import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automation.portals.feasibility import Impossible
from config.portal.labels import tenant_filter
from testbed.checkout import Running
from testbed.command_result import CommandResult
from testbed.light import LightPortals
from testbed.processes import cli_started_by
from testbed.trial import Trial
from testbed.waiting import until
from tests.e2e.proxy import Proxy
from tests.e2e.test_failures import CRASH

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
slow = pytest.mark.slow
LIMIT = 1200.0


def everyone(fleet: LightPortals, verb: str, *words: str) -> CommandResult:
    """A verb over all light tenants."""
    return fleet.checkout.portal(verb, "--all", "--json", *words, limit=LIMIT)


def began(running: Running, what: str, look: Callable[[], object]) -> None:
    """Wait until a command is at a certain point; fails when it ends before."""
    until(what, lambda: look() or running.process.poll() is not None, limit=300)
    assert running.process.poll() is None, f"ended before {what}:\n{running.result(0)}"


def running(trial: Trial, least: int) -> bool:
    """Whether at least so many services of a tenant are there."""
    # Listed and not inspected: one may be gone a moment later.
    listed = trial.objects.client.containers(filters=tenant_filter(trial.name))
    return len(listed) >= least


@slow
def test_one_of_ten_is_broken(fleet: LightPortals) -> None:
    """A port that another program has, a file that is wrong: two reasons, eight portals; mended, no other is touched."""
    trials = fleet.trials(10)
    clashing, wrong = trials[2], trials[6]
    wrong.write(release="hawthorn")
    with socket.create_server(("127.0.0.1", clashing.port)):
        ran = everyone(fleet, "up")
    assert ran.code == 1, str(ran)
    assert not CRASH.search(ran.output), str(ran)
    outcomes = ran.facts()["tenants"]
    assert list(outcomes) == sorted(each.name for each in trials)
    assert {name: each["exit_code"] for name, each in outcomes.items() if each["exit_code"]} == {
        clashing.name: Impossible.exit_code,
        wrong.name: 2,
    }
    assert re.search(
        rf"listen/port: 127\.0\.0\.1:{clashing.port}, .* is taken by", outcomes[clashing.name]["reason"]
    )
    assert f"tenants/{wrong.name}.yaml: release" in outcomes[wrong.name]["reason"]
    assert not fleet.objects.ids(wrong.name)
    good = [each for each in trials if each not in (clashing, wrong)]
    for each in good:
        assert not each.unhealthy(), each.name
        assert outcomes[each.name]["deviations"] == [], outcomes[each.name]

    wrong.choices.clear()
    wrong.write()
    ran = everyone(fleet, "up")
    assert ran.code == 0, str(ran)
    outcomes = ran.facts()["tenants"]
    assert {each.name: outcomes[each.name]["changes"] for each in good} == {each.name: [] for each in good}
    fleet.assert_whole(trials)


@slow
def test_a_wrong_file_alone_tells_its_own_exit_code(fleet: LightPortals) -> None:
    """2 for a tenant file, as for a single tenant; the other is previewed."""
    good, wrong = fleet.trials(2)
    wrong.write(release="hawthorn")
    ran = everyone(fleet, "preview")
    assert ran.code == 2, str(ran)
    outcomes = ran.facts()["tenants"]
    assert "failure" not in outcomes[good.name]
    assert outcomes[good.name]["changes"]
    assert "hawthorn" in outcomes[wrong.name]["failure"]


@slow
def test_a_claim_that_cannot_be_read_holds_all_back(fleet: LightPortals) -> None:
    """Whose port or subnet it is cannot be known then: each says which file it waits for, and nothing is made."""
    trials = fleet.trials(3)
    trials[1].write(listen={"address": "127.0.0.1", "port": "none"})
    ran = everyone(fleet, "up")
    assert ran.code == 2, str(ran)
    for name, outcome in ran.facts()["tenants"].items():
        assert outcome["exit_code"] == 2
        assert f"tenants/{trials[1].name}.yaml" in outcome["reason"], name
        assert "listen/port: found the text 'none'" in outcome["reason"], name
        assert not fleet.objects.ids(name)


@slow
@pytest.mark.parametrize("scene", ["empty", "changed"])
def test_two_operators_at_the_same_moment(fleet: LightPortals, scene: str) -> None:
    """Both end well, what is to be done is done once, and the portal is whole."""
    (birch,) = fleet.trials(1)
    if scene == "changed":
        birch.up()
        birch.write(title="Silver birch")
    both = [fleet.checkout.start("./portal", "up", birch.name, "--json") for _ in range(2)]
    ended = [each.wait(LIMIT) for each in both]
    for each in ended:
        assert each.code == 0, str(each)
        assert not CRASH.search(each.output), str(each)
        assert each.facts()["deviations"] == [], str(each)
    done = [change["urn"] for each in ended for change in each.facts()["changes"]]
    assert done
    assert len(done) == len(set(done)), sorted(done)
    fleet.assert_whole([birch])


@slow
def test_the_tenant_file_changes_meanwhile(fleet: LightPortals) -> None:
    """The command ends with what the file says at its end, and says so."""
    (birch,) = fleet.trials(1)
    run = fleet.checkout.start("./portal", "up", birch.name, "--json")
    began(run, "pulumi up to begin", lambda: cli_started_by(run.process.pid, "up"))
    birch.write(title="Silver birch")
    ran = run.wait(LIMIT)
    assert ran.code == 0, str(ran)
    assert f"tenants/{birch.name}.yaml was changed" in ran.err, str(ran)
    fleet.assert_whole([birch])


@slow
@pytest.mark.parametrize("services", [0, 1, 9])
def test_the_engine_goes_away_in_the_middle(fleet: LightPortals, tmp_path: Path, services: int) -> None:
    """One clear reason, not 0; and once it is back, the same command ends well."""
    birch, oak = fleet.trials(2)
    with Proxy(tmp_path / "engine.sock") as proxy:
        run = fleet.checkout.start(
            "./portal", "up", "--all", "--parallel", "2", "--json", DOCKER_HOST=proxy.address
        )
        if services:
            began(run, f"{services} services to be there", lambda: running(birch, services))
        else:
            began(run, "pulumi's preview to begin", lambda: cli_started_by(run.process.pid, "preview"))
        proxy.cut()
        ran = run.wait(LIMIT)
        assert ran.code != 0, str(ran)
        assert not CRASH.search(ran.output), str(ran)
        outcomes = ran.facts()["tenants"]
        for each in (birch, oak):
            assert not outcomes[each.name]["ok"], str(ran)
            assert re.search(
                r"(?i)no Docker engine answers|Cannot connect to the Docker daemon|engine",
                outcomes[each.name]["reason"],
            ), outcomes
        proxy.listen()
        again = everyone(fleet, "up", "--parallel", "2")
        assert again.code == 0, str(again)
    fleet.assert_whole([birch, oak])


@pytest.fixture
def small(fleet: LightPortals) -> Iterator[Path]:
    """A drive of 600 MiB, which is a file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    root = fleet.checkout.base / "small"
    root.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600m", "portals-e2e", str(root)], check=True, timeout=30
    )
    try:
        marked = fleet.checkout.portal("drive", "init", str(root))
        assert marked.code == 0, str(marked)
        yield root
    finally:
        fleet.clear()
        subprocess.run(["umount", str(root)], check=True, timeout=30)
        root.rmdir()


@slow
def test_the_disk_is_full(fleet: LightPortals, small: Path) -> None:
    """A portal whose drive is full starts no data store; one on another drive comes up beside it."""
    good, full = fleet.trials(2)
    full.root = small
    full.write()
    ran = everyone(fleet, "up")
    assert ran.code == Impossible.exit_code, str(ran)
    outcomes = ran.facts()["tenants"]
    assert outcomes[good.name]["ok"], str(ran)
    assert re.search(
        r"the drive has \d+ MiB free, but the containers that write to it need 1024",
        outcomes[full.name]["reason"],
    )
    assert fleet.objects.containers(full.name, jobs=False) == {}
    subprocess.run(["mount", "-o", "remount,size=3g", str(small)], check=True, timeout=30)
    again = everyone(fleet, "up")
    assert again.code == 0, str(again)
    assert again.facts()["tenants"][good.name]["changes"] == []
    fleet.assert_whole([good, full])
