"""The exit code of a review."""

from automation.review.tenant_review import AT_RISK, DATA_LOSS, Review, exit_code
from automation.runs.plan import Change, Plan
from config.portal.resource_types import CONTAINER, VOLUME
from preflight.obstacles import DRIVE_AWAY, Obstacle
from tests.unit.automation.review.samples import change, container, plan, volume

MYSQL = container("mysql", "data", volumes=[{"containerPath": "/data", "volumeName": "acme-mysql"}])


def replaced(inputs: dict[str, object], **more: object) -> Change:
    labels = {str(each["label"]): str(each["value"]) for each in inputs["labels"]}  # type: ignore[attr-defined]
    return change("replace", CONTAINER, labels["portal.service"], inputs, {**inputs, **more})


def test_exit_code_by_the_worst() -> None:
    loss = Review("acme", plan(change("delete", VOLUME, "v", volume())))
    restart = Review("oak", plan(replaced(MYSQL)))
    failed = Review("elm", failure="no engine")
    assert exit_code([]) == 0
    assert exit_code([restart]) == 0
    assert exit_code([restart, loss]) == AT_RISK
    assert exit_code([restart, loss], [DATA_LOSS]) == 0
    assert exit_code([failed, loss], [DATA_LOSS]) == 1


def test_a_drive_that_is_away_has_the_code_that_all_else_gives_it() -> None:
    away = Obstacle(key="storage/root", what=f"{DRIVE_AWAY} (x)", remedy="mount it")
    full = Obstacle(key="storage/root", what="the drive has 3 MiB free", remedy="make room")

    def code(*obstacles: Obstacle) -> int:
        return exit_code(
            [Review(each.key, Plan(tenant="a", changes=(), obstacles=(each,))) for each in obstacles]
        )

    assert code(away) == code(away, away) == 7
    assert code(full) == code(away, full) == code(full, away) == 10
