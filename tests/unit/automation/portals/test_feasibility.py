"""What a plan asks of an engine, whichever plugin has written its inputs."""

import threading
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from ipaddress import IPv4Network
from typing import Any

import pytest

from automation.drive.capacity import LEAST_DISK_MIB
from automation.drive.quota import Share
from automation.engine import inventory
from automation.errors import NoEngine
from automation.portals import engine_identity, feasibility
from automation.portals.feasibility import RESTART_MIB, Impossible, refuse, requirements, with_obstacles
from automation.runs.plan import Change, Plan
from automation.stack import Stack
from config.tenant.tenant import Tenant
from preflight.facts import Facts
from preflight.obstacles import Obstacle
from preflight.procfs import ListenAddress
from preflight.requirements import PublishedPort, Requirements, Subnet
from tests.programs import TENANTS

ACME = Tenant.load("acme", TENANTS)
# Of a release that is not supported any more.
NOTES = feasibility.release_notes(ACME)


def change(op: str, kind: str, name: str, before: dict[str, Any], after: dict[str, Any]) -> Change:
    word = kind[0].lower() + kind[1:]
    urn = f"urn:pulumi:acme::portals::portal:index:Portal$docker:index/{word}:{kind}::{name}"
    return Change(urn=urn, op=op, before=before, after=after)


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan(tenant="acme", changes=changes, **more)


LB = {
    "name": "acme-load-balancer",
    "image": "portals/load-balancer:1",
    "memory": 96.0,
    "ports": [{"internal": 8080, "external": 8081.0, "ip": "127.0.0.1", "protocol": "tcp", "__defaults": []}],
}
MYSQL = {
    "name": "acme-mysql",
    "image": "portals/mysql:1",
    "memory": 512,
    "volumes": [{"volumeName": "acme-mysql"}],
}


def test_what_is_made_and_what_is_given_up() -> None:
    needs = requirements(
        plan(
            change("replace", "Container", "load-balancer", {"name": "acme-load-balancer"}, LB),
            change("create", "Container", "mysql", {}, MYSQL),
            change("delete", "Container", "forum", {"name": "acme-forum"}, {}),
            change("update", "Container", "lms", {}, {"name": "acme-lms", "memory": 640}),
            change("replace", "Network", "data", {"name": "acme-private"}, {
                "name": "acme-data", "ipamConfigs": [{"subnet": "10.77.1.0/26", "__defaults": []}]}),
            change("create", "Volume", "volume-mysql", {}, {
                "name": "acme-mysql", "driverOpts": {"device": "/d", "o": "bind", "type": "none", "__defaults": []}}),
        ),
        ACME,
    )  # fmt: skip
    assert needs == Requirements(
        published=(
            PublishedPort(
                container="acme-load-balancer", listen=ListenAddress(address="127.0.0.1", port=8081)
            ),
        ),
        subnets=(Subnet(network="acme-data", subnet=IPv4Network("10.77.1.0/26")),),
        images=frozenset({"portals/load-balancer:1", "portals/mysql:1"}),
        new_containers=frozenset({"acme-mysql"}),
        leaving_containers=frozenset({"acme-load-balancer", "acme-forum"}),
        leaving_networks=frozenset({"acme-private"}),
        volumes={"acme-mysql": {"device": "/d", "o": "bind", "type": "none"}},
        limits={"acme-load-balancer": 96, "acme-mysql": 512, "acme-lms": 640},
        room=ACME.services["mysql"].memory_min,
        disk=RESTART_MIB,
    )


def test_a_new_portal_wants_more_of_the_drive_than_one_that_starts_again() -> None:
    init = change("create", "Container", "storage-init", {}, {"name": "acme-storage-init", "volumes": [{}]})
    assert requirements(plan(init), ACME).disk == LEAST_DISK_MIB


def test_storage_init_asks_for_its_room_whenever_it_runs() -> None:
    before = {"name": "acme-storage-init", "volumes": [{}]}
    again = change("replace", "Container", "storage-init", before, before)
    assert requirements(plan(again), ACME).disk == LEAST_DISK_MIB


@pytest.mark.parametrize("changes", [(), (change("update", "Network", "data", {}, {}),)])
def test_where_nothing_is_made_nobody_is_asked(
    changes: tuple[Change, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "connect", lambda *words, **more: pytest.fail("asked"))
    assert with_obstacles(plan(*changes), ACME) == plan(*changes, notes=NOTES)


@pytest.mark.parametrize("value", [None, 7, "x", [7], [{"external": "x"}], [{"subnet": "::/8"}], {"a": 1}])
def test_odd_inputs_decide_nothing(value: Any) -> None:
    odd = dict.fromkeys(("ports", "ipamConfigs", "driverOpts", "memory", "volumes", "image"), value)
    needs = requirements(
        plan(*(change("create", kind, "x", {}, odd) for kind in ("Container", "Network", "Volume"))), ACME
    )
    assert (needs.published, needs.subnets) == ((), ())


def test_a_preview_without_an_engine_says_that_nobody_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*words: object, **more: object) -> object:
        raise NoEngine("no Docker engine answers")

    monkeypatch.setattr(inventory, "connect", connect)
    made = plan(change("create", "Container", "mysql", {}, MYSQL))
    assert with_obstacles(made, ACME) == replace(made, unchecked="no Docker engine answers", notes=NOTES)


GIB = 2**20  # in KiB
HOLDS = Share(kind="xfs", options=frozenset({"prjquota"}), size=100 * GIB)


@pytest.mark.parametrize(
    ("share", "size", "words"),
    [
        (HOLDS, "20GiB", "the file system will hold the portal to 20480 MiB, none now"),
        (replace(HOLDS, kind="nfs4"), "20GiB", "watched, not enforced: /srv/portals is nfs4"),
        (
            replace(HOLDS, own=(20 * GIB, 15 * GIB), ours=True),
            "",
            "the limit of 20480 MiB is lifted",
        ),
    ],
)
def test_a_preview_says_what_up_will_do_about_the_quota(
    share: Share, size: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []

    def connect(*hosts: object, **how: Any) -> Any:
        calls.append(how)
        return nullcontext()

    monkeypatch.setattr(inventory, "connect", connect)
    monkeypatch.setattr(feasibility, "gather_facts", lambda *words: Facts())
    monkeypatch.setattr(feasibility, "is_other_engine", lambda *words: False)
    monkeypatch.setattr("automation.drive.sentinel.read_share", lambda *words: share)
    acme = replace(ACME, storage=replace(ACME.storage, quota=size))
    planned = with_obstacles(
        plan(change("update", "Container", "lms", {}, {"memory": 640}), unchanged=40), acme
    )
    assert planned.notes[: len(NOTES)] == NOTES
    assert [words in each for each in planned.notes[len(NOTES) :]] == [True]
    # One that is off is not waited for; one that answers has its time.
    assert calls == [{"first": 5}]


def test_an_engine_that_takes_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_identity, "ANSWER_SECONDS", 0.05)
    waiting = threading.Event()
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        waiting.set()

    with feasibility.say_when_slow("acme: asking", say):
        assert waiting.wait(10)
    monkeypatch.setattr(engine_identity, "ANSWER_SECONDS", 60)
    with feasibility.say_when_slow("acme: asking again", lines.append):
        pass
    assert lines == ["acme: asking"]


def test_all_that_is_in_the_way_is_told_at_once() -> None:
    refuse(ACME, ())
    obstacles = [
        Obstacle(key="listen/port", what="a is taken", remedy="b"),
        Obstacle(key="", what="c", remedy="d"),
    ]
    with pytest.raises(Impossible) as raised:
        refuse(ACME, obstacles)
    assert str(raised.value).splitlines() == [
        "tenants/acme.yaml: listen/port: a is taken; b",
        "tenants/acme.yaml: c; d",
        "nothing was stopped or changed",
    ]
    assert raised.value.exit_code == 10


def test_what_an_interrupted_run_has_half_made_is_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    pending = {
        "type": "creating",
        "resource": {"type": "docker:index/container:Container", "inputs": {"name": "acme-lms"}},
    }
    state = {"deployment": {"pending_operations": [pending]}}
    monkeypatch.setattr(Stack, "state", lambda stack: state)
    needs = feasibility.without_half_made(Requirements(new_containers=frozenset({"acme-lms"})), "acme")
    assert "acme-lms" in needs.leaving_containers


def test_a_release_out_of_support_and_what_its_public_images_lack_are_said() -> None:
    assert [each.partition(" (")[0] for each in NOTES] == ["release: Open edX Redwood"]
    lacking = replace(ACME.release, lacks=("Learners open no course.",))
    ended, lacks = feasibility.release_notes(replace(ACME, images="hub", release=lacking))
    assert "support ended on 2024-12-16" in ended
    assert lacks == "release: redwood: Learners open no course."
    newest = replace(ACME, release=ACME.releases["verawood"], images="hub")
    assert feasibility.release_notes(newest, date(2026, 12, 8)) == ()
    assert len(feasibility.release_notes(newest, date(2026, 12, 9))) == 1
