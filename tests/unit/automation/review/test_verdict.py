"""A whole plan judged: the most dangerous change comes first."""

from automation.review.change_rules import DataRisk, Downtime
from automation.review.verdict import judge
from automation.runs.plan import Change
from config.portal.resource_types import CONTAINER, VOLUME
from tests.unit.automation.review.samples import change, container, plan, volume

MYSQL = container("mysql", "data", volumes=[{"containerPath": "/data", "volumeName": "acme-mysql"}])
NONE, SERVICE, PORTAL, STORE = Downtime
SAFE, RESTART, REWRITE, _, LOSS = DataRisk


def replaced(inputs: dict[str, object], **more: object) -> Change:
    labels = {str(each["label"]): str(each["value"]) for each in inputs["labels"]}  # type: ignore[attr-defined]
    return change("replace", CONTAINER, labels["portal.service"], inputs, {**inputs, **more})


def test_the_most_dangerous_comes_first() -> None:
    changes = [
        change("create", CONTAINER, "a", None, container()),
        replaced(container("cms")),
        replaced(MYSQL),
        replaced(container("load-balancer", "support")),
        change("delete", VOLUME, "v", volume()),
        change("create", "portal:index:Portal", "acme"),
    ]
    verdict = judge(plan(*changes))
    assert [each.change.name for each in verdict.judged] == ["v", "mysql", "load-balancer", "cms", "a"]
    assert (verdict.downtime, verdict.data) == (STORE, LOSS)
    assert verdict.interrupted == ("cms", "load-balancer", "mysql")
    assert judge(plan(*reversed(changes))) == verdict
