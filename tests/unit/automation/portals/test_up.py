"""What `up` does where another run was faster."""

from typing import Any

import pytest

from automation.errors import Overtaken
from automation.portals import feasibility, up
from automation.portals.feasibility import Impossible
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
