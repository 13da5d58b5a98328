"""Ten kinds of change, each with the comment that a reviewer sees. UPDATE_PLANS=1 writes them anew."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from automation.review.affected_tenants import Affected, Fleet, affected
from automation.review.changed_files import since
from automation.review.comment import render
from automation.review.tenant_review import AT_RISK, Review, exit_code
from tests.programs import ROOT
from tests.unit.automation.review import recorded
from tests.unit.automation.review.kinds import COMMENTS, KINDS, Kind, steady
from tests.unit.automation.review.repository import Repository, commit

# The one that docs/previews.md shows.
SHOWN = "host-name"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository.make(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="module")
def standing(repository: Repository) -> Callable[[str], recorded.Resources]:
    """What the portals of main have, each asked once."""
    return cache(lambda tenant: recorded.inputs_of_checkout(repository.base, tenant))


def reviewed(checkout: Path, result: Affected, standing: Callable[[str], recorded.Resources]) -> list[Review]:
    """Each tenant that a change can touch, against what main has of it."""
    made = []
    for name, why in result.tenants.items():
        is_new = not (checkout.parent.parent / "base" / "tenants" / f"{name}.yaml").exists()
        before = {} if is_new else standing(name)
        made.append(
            Review(name, recorded.plan(name, before, recorded.inputs_of_checkout(checkout, name)), why=why)
        )
    for name, why in result.removed.items():
        made.append(Review(name, recorded.plan(name, standing(name), {}), why=why, removed=True))
    return made


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_a_reviewer_sees(
    kind: Kind, repository: Repository, standing: Callable[[str], recorded.Resources]
) -> None:
    branches = repository.base.parent / "branches"
    branches.mkdir(exist_ok=True)
    checkout = repository.branch(branches, kind.name)
    kind.edit(checkout)
    commit(checkout, kind.title)

    result = affected(since("origin/main", checkout), Fleet.read(checkout))
    assert tuple(result.tenants) == kind.touches
    assert tuple(result.removed) == kind.removed
    reviews = reviewed(checkout, result, standing)
    comment = steady(render(reviews, notes=result.notes()))
    assert comment == steady(render(reversed(reviews), notes=result.notes()))

    path = COMMENTS / f"{kind.name}.md"
    if os.environ.get("UPDATE_PLANS"):
        path.write_text(comment)
    assert comment == path.read_text(), (
        f"UPDATE_PLANS=1 ./portal test tests/unit/automation/review writes {path.name} anew"
    )
    assert exit_code(reviews) == (AT_RISK if kind.name in ("service-off", "tenant-removed") else 0)


def test_the_page_shows_what_a_reviewer_sees() -> None:
    page = ROOT / "docs" / "previews.md"
    text = page.read_text()
    begin, end = f"<!-- begin: {SHOWN} -->\n", f"<!-- end: {SHOWN} -->"
    before, _, rest = text.partition(begin)
    now = f"{before}{begin}{(COMMENTS / f'{SHOWN}.md').read_text()}{end}{rest.partition(end)[2]}"
    if os.environ.get("UPDATE_PLANS"):
        page.write_text(now)
    assert text == now or os.environ.get("UPDATE_PLANS"), (
        "UPDATE_PLANS=1 ./portal test tests/unit/automation/review writes it anew"
    )


def test_every_comment_has_a_kind() -> None:
    assert {path.stem for path in COMMENTS.glob("*.md")} == {kind.name for kind in KINDS}
