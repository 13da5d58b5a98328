"""What a reviewer has to know of one tenant: why it was looked at, what would change, how bad that is."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from automation.review.change_rules import DataRisk
from automation.review.redaction import redacted_differences
from automation.review.verdict import Verdict, judge
from automation.runs.plan import Change, Plan
from preflight.obstacles import Obstacle

# The exit code of a preview of what an engine would refuse.
IMPOSSIBLE = 10
# The exit code of a preview, as of all else, where the drive is away and nothing else stands in the way.
DRIVE_AWAY = 7
# The exit code of a preview with data at risk that nobody has allowed.
AT_RISK = 8
# The word that allows it, and by default the label of a pull request that says it.
DATA_LOSS = "data-loss"


@dataclass(frozen=True)
class Review:
    """One tenant's preview. Without a plan, `failure` says why there is none.

    `why` names what it was looked at for. `removed` when its file is gone: then the plan is what `destroy` removes.
    """

    tenant: str
    plan: Plan | None = None
    failure: str = ""
    why: tuple[str, ...] = ()
    removed: bool = False

    @cached_property
    def verdict(self) -> Verdict:
        """The judgement of its plan; of an empty one where the preview failed."""
        return judge(self.plan or Plan(tenant=self.tenant, changes=()))

    @property
    def failed(self) -> bool:
        """Whether nobody knows what would change."""
        return self.plan is None

    @property
    def quiet(self) -> bool:
        """Whether nothing would change."""
        return not self.failed and not self.verdict.judged and not self.obstacles

    @property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """What its engine would refuse."""
        return self.plan.obstacles if self.plan else ()

    @property
    def unchecked(self) -> str:
        """Why nobody could ask its engine whether all this is possible; empty where somebody did."""
        return self.plan.unchecked if self.plan else ""

    def facts(self) -> dict[str, Any]:
        """For `--json`; secrets are not in it."""
        facts = {
            "tenant": self.tenant,
            "why": list(self.why),
            "removed": self.removed,
            "downtime": self.verdict.downtime.name.lower(),
            "data": self.verdict.data.name.lower(),
            "obstacles": [each.facts() for each in self.obstacles],
            "notes": list(self.plan.notes if self.plan else ()),
            "unchecked": self.unchecked,
            "changes": [
                {
                    **each.change.facts(),
                    "downtime": each.downtime.name.lower(),
                    "data": each.data.name.lower(),
                    "reasons": [finding.reason for finding in each.findings],
                    "differences": _differences(each.change),
                }
                for each in self.verdict.judged
            ],
        }
        return {**facts, "failure": self.failure} if self.failed else facts


def _differences(change: Change) -> list[dict[str, Any]]:
    return [
        {"path": each.path, "before": each.before, "after": each.after}
        for each in redacted_differences(change)
    ]


def most_severe_first(reviews: Iterable[Review]) -> list[Review]:
    """The most dangerous first; one whose preview failed may be anything, so it stands before all others."""
    return sorted(
        reviews,
        key=lambda each: (
            not each.failed,
            not each.obstacles,
            -each.verdict.data,
            -each.verdict.downtime,
            -len(each.verdict.judged),
            each.tenant,
        ),
    )


def at_risk(reviews: Iterable[Review]) -> list[str]:
    """The tenants whose data would be deleted, moved or left behind, or whose name or secrets would change."""
    return [each.tenant for each in most_severe_first(reviews) if each.verdict.data is DataRisk.LOSS]


def not_known(reviews: Iterable[Review]) -> list[str]:
    """The tenants of whose data nobody could say whether it is at risk."""
    return [each.tenant for each in most_severe_first(reviews) if each.verdict.data is DataRisk.UNKNOWN]


def exit_code(reviews: Iterable[Review], allowed: Iterable[str] = ()) -> int:
    """0 when all is well or allowed, 1 when a preview failed, IMPOSSIBLE when an engine would refuse a part of one, DRIVE_AWAY
    when only drives that are not mounted stand in the way, AT_RISK when data is at risk and nobody has allowed it.
    """
    listed = list(reviews)
    obstacles = [obstacle for each in listed for obstacle in each.obstacles]
    if any(each.failed for each in listed):
        return 1
    if obstacles:
        return DRIVE_AWAY if all(each.is_the_drive for each in obstacles) else IMPOSSIBLE
    return AT_RISK if at_risk(listed) and DATA_LOSS not in allowed else 0
