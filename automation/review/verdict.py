"""What a plan does to those who use a portal and to its data: every change judged, the most dangerous first."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from automation.review.change_rules import (
    DataRisk,
    Downtime,
    Finding,
    data_left_behind,
    findings,
)
from automation.runs.plan import Change, Plan
from config.portal.resource_types import CONTAINER, DOCKER_PROVIDER, GROUPING, PROVIDERS
from config.values import placement


@dataclass(frozen=True, kw_only=True)
class JudgedChange:
    """A change with all that is to be said of it."""

    change: Change
    findings: tuple[Finding, ...]

    @cached_property
    def downtime(self) -> Downtime:
        """The worst of its findings."""
        return max((each.downtime for each in self.findings), default=Downtime.NONE)

    @cached_property
    def data(self) -> DataRisk:
        """The worst of its findings."""
        return max((each.data for each in self.findings), default=DataRisk.NONE)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A plan's changes that touch an engine or a secret, the most dangerous first."""

    tenant: str
    judged: tuple[JudgedChange, ...]

    @cached_property
    def downtime(self) -> Downtime:
        """The worst of all changes."""
        return max((each.downtime for each in self.judged), default=Downtime.NONE)

    @cached_property
    def data(self) -> DataRisk:
        """The worst of all changes."""
        return max((each.data for each in self.judged), default=DataRisk.NONE)

    def count(self, *ops: str) -> int:
        """How many changes are one of these operations."""
        return sum(each.change.op in ops for each in self.judged)

    @cached_property
    def interrupted(self) -> tuple[str, ...]:
        """The containers that are away for a while or for good, by the names of their services."""
        return tuple(
            sorted(
                each.change.name for each in self.judged if each.downtime and each.change.type == CONTAINER
            )
        )


def judge(plan: Plan) -> Verdict:
    """Judge every change of a plan. Pure: the same plan gets the same verdict."""
    judged = [
        JudgedChange(
            change=change,
            findings=(*data_left_behind(change, plan.left, plan.tenant), *findings(change)),
        )
        for change in plan.changes
        if is_judged(change)
    ]
    return Verdict(tenant=plan.tenant, judged=tuple(sorted(judged, key=severity_order)))


def is_judged(change: Change) -> bool:
    """Whether there is something of it on an engine or a secret in it."""
    # That a plugin is used, or no longer, is for the state alone; another engine behind it is not.
    is_plugin = change.type.startswith(PROVIDERS) and change.op in ("create", "delete", "import")
    if change.type == DOCKER_PROVIDER and change.op == "update" and not change.engine:
        # The same address in other words, and nothing else.
        is_plugin = engine_settings(change.before) == engine_settings(change.after)
    return not is_plugin and not change.type.startswith(GROUPING)


def engine_settings(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """How an engine is reached, its address in the one way to write it."""
    return {**inputs, "host": placement.canonical(str(inputs.get("host") or ""))}


def severity_order(one: JudgedChange) -> tuple[Any, ...]:
    """The order of a report: data first, then downtime, then what ends before what begins, then by name."""
    ops = ("delete", "replace", "update", "import", "create")
    place = ops.index(one.change.op) if one.change.op in ops else -1
    return (-one.data, -one.downtime, place, one.change.type, one.change.name, one.change.urn)
