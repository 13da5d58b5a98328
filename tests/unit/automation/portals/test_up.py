"""What `up` does where another run was faster, and in which order it asks and changes."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from automation.drive import quota, sentinel
from automation.drive.quota import Share
from automation.errors import Overtaken
from automation.portals import feasibility, up
from automation.portals.feasibility import Impossible
from automation.runs import automation_api
from automation.runs.plan import Change, Plan
from automation.stack import Stack
from config.tenant.tenant import Tenant
from tests.programs import TENANTS

ACME = Tenant.load("acme", TENANTS)


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan(tenant="acme", changes=changes, **more)


@pytest.mark.parametrize(("now", "error"), [("before", Impossible), ("after", Overtaken)])
def test_what_another_run_has_made_meanwhile_is_no_obstacle_but_a_reason_to_look_anew(
    now: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(*words: object) -> Plan:
        raise Impossible("a container acme-lms is there already")

    monkeypatch.setattr(feasibility, "check", check)
    monkeypatch.setattr(Stack, "state", lambda stack: {"deployment": now})
    with pytest.raises(error) as raised:
        up.require_feasible(None, ACME, plan(), {"deployment": "before"}, print)
    assert raised.type is error


GIB = 2**20  # in KiB
DRIVE = Share(kind="xfs", options=frozenset({"prjquota"}), size=100 * GIB)


def held(limit: int, used: int) -> Share:
    """The share of a portal, in KiB."""
    return dataclasses.replace(DRIVE, own=(limit, limit - used), ours=True)


class Recording:
    """What was done, in its order. Everything around a run is played but the checks and the quota's decisions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, share: Share, later: Share | None = None) -> None:
        self.done: list[str] = []
        monkeypatch.setattr(quota, "parse_share", lambda shares: share)
        monkeypatch.setattr(sentinel, "read_share", lambda *words: later)
        monkeypatch.setattr(quota, "run_project_quota", self.run)
        monkeypatch.setattr(quota, "count_files", self.count_files)
        monkeypatch.setattr(automation_api, "locked_runs", self.locked_runs)
        monkeypatch.setattr(up, "apply", self.apply)
        self.unheard: dict[str, Any] = {
            "image_supply.prepare_images": None,
            "ownership.ensure_backend_name": None,
            "sentinel.inspect_tenant": sentinel.Inspection(mark=sentinel.Sentinel()),
            "sentinel.judge": SimpleNamespace(),
            "packet_rules.ensure": "",
            "process_limits.apply_limits": None,
            "inventory.objects": ([], [], []),
            "inventory.containers": [],
            "inventory.wait_healthy": [],
            "recovery.recover": SimpleNamespace(state={}, stopping=[]),
            "recovery.failed_gates": [],
            "recovery.forget_unanswered": None,
            "drift.missing": [],
            "data_locations.location_in_state": None,
            "data_locations.recorded_locations": (),
            "data_locations.record": None,
            "preview.former_directory": "",
            "outputs.facts": {},
            "status.drive_usage": {"warnings": []},
            "require_unchanged_file": None,
        }
        for path, answer in self.unheard.items():
            monkeypatch.setattr(f"automation.portals.up.{path}", lambda *words, answer=answer, **more: answer)
        for name in ("inventory.connect", "lock_stack", "job_progress.reported"):
            monkeypatch.setattr(f"automation.portals.up.{name}", self.opened)
        monkeypatch.setattr(
            feasibility, "gather_facts", lambda *words: pytest.fail("nothing of the engine is asked for")
        )

    @contextmanager
    def opened(self, *words: object, **more: object) -> Iterator[Any]:
        yield SimpleNamespace(stack=SimpleNamespace(ensure=lambda: None))

    @contextmanager
    def locked_runs(self, *words: object, **more: object) -> Iterator[Any]:
        yield SimpleNamespace(tenant="acme", preview=self.preview)

    def preview(self, **how: object) -> Plan:
        self.done.append("preview")
        return plan()

    def apply(self, *words: object, **more: object) -> dict[str, Any]:
        self.done.append("apply")
        return {"changes": [], "deviations": []}

    def count_files(self, client: object, tenant: Tenant, share: Share, *more: object) -> Share:
        self.done.append("count")
        return share

    def run(self, client: object, tenant: str, directory: str, words: list[str], *more: object) -> str:
        self.done.append(" ".join(words[:3] if words[0] == "hold" else words[:1]))
        return "lifted" if words[0] == "lift" else "held 1 1"


def test_a_limit_that_cannot_be_set_does_not_undo_an_up_that_has_succeeded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(*words: object) -> Share:
        raise sentinel.DriveMissing("the drive is away")

    monkeypatch.setattr(sentinel, "read_share", gone)
    assert up.limit_what_runs(None, with_quota("20GiB"), DRIVE, print, None) == "the drive is away"
    # Where there is nothing to limit nobody is asked.
    assert up.limit_what_runs(None, with_quota(""), DRIVE, print, None) == ""


def with_quota(size: str) -> Tenant:
    return dataclasses.replace(ACME, storage=dataclasses.replace(ACME.storage, quota=size))


@pytest.mark.parametrize(
    ("share", "size", "done"),
    [
        # A first limit, and one that leaves less: once everything runs.
        (held(100 * GIB, 5 * GIB), "20GiB", ["preview", "count", "apply", "hold --limit-mib 20480"]),
        (held(30 * GIB, 5 * GIB), "20GiB", ["preview", "count", "apply", "hold --limit-mib 20480"]),
        # More room, which a start may be waiting for: when all is checked, and before it.
        (held(10 * GIB, 10 * GIB), "20GiB", ["preview", "count", "hold --limit-mib 20480", "apply"]),
        (held(10 * GIB, 10 * GIB), "", ["preview", "count", "lift", "apply"]),
        (held(20 * GIB, 5 * GIB), "20GiB", ["preview", "count", "apply"]),
        (DRIVE, "20GiB", ["preview", "count", "apply", "hold --limit-mib 20480"]),
    ],
)
def test_a_limit_is_changed_when_all_is_checked(
    share: Share, size: str, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording(monkeypatch, share, held(100 * GIB, GIB))
    up.attempt_up(with_quota(size), print, None, unseen=False)
    assert recording.done == done


@pytest.mark.parametrize("unseen", [False, True])
def test_a_quota_that_is_taken_already_is_refused_before_anything_is_changed(
    unseen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording(monkeypatch, held(30 * GIB, 25 * GIB))
    monkeypatch.setattr("preflight.tenant.obstacles", lambda *words: ())
    monkeypatch.setattr(Stack, "state", lambda stack: {})
    with pytest.raises(Impossible, match=r"(?s)acme uses 25600 MiB, so with 20480.*nothing was") as raised:
        up.attempt_up(with_quota("20GiB"), print, None, unseen=unseen)
    assert raised.value.exit_code == 10
    assert recording.done == ["preview", "count"][unseen:]
