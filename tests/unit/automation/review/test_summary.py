"""The page of a job's summary: no change, however large, makes it longer than GitHub takes or hides a tenant."""

import os

import pytest

from automation.review import summary
from automation.review.affected_tenants import Affected


def many(tenants: int, files: int) -> Affected:
    """Every tenant touched by every file, and as many files that touch none."""
    paths = [
        f"components/{number}-{'x' * 200}\n|<b>.py: what every portal is made of" for number in range(files)
    ]
    return Affected(
        tenants={f"tenant-{number:03d}": tuple(paths) for number in range(tenants)},
        removed={"gone": ("tenants/gone.yaml: removed",)},
        left=tuple(f"docs/{number}: affects no tenant (documentation)" for number in range(files)),
    )


def test_what_fits_is_there_whole() -> None:
    page = summary.render(many(2, 3))
    assert page.count("\n") == 2 + 2 * 3 + 1 + 3
    assert "more" not in page.replace("what every portal is made of", "")


@pytest.mark.parametrize(("tenants", "files"), [(100, 1_000), (1, 20_000), (400, 1)])
def test_a_large_change_hides_no_tenant(tenants: int, files: int) -> None:
    affected = many(tenants, files)
    page = summary.render(affected)
    assert len(page.encode()) <= summary.LIMIT < 1024 * 1024
    for name in (*affected.tenants, *affected.removed):
        # Its first reason at least, and the number of those that are not shown.
        shown = page.count(f"| <code>{name}</code> | <code>components/")
        assert name == "gone" or shown > 0
        assert (
            shown in (0, files)
            or f"| <code>{name}</code> | <code>and {files - shown:,} more</code> |" in page
        )
    assert files == 1 or "more files that affect no tenant&#58; ./portal changed REF" in page


def test_of_names_alone_there_may_be_too_many() -> None:
    affected = Affected(tenants={f"{number}{'&' * 250}": ("its own file",) for number in range(3_000)})
    page = summary.render(affected)
    assert len(page.encode()) <= summary.LIMIT
    shown = page.count("its own file")
    assert f"and {3_000 - shown:,} more tenants&#58; ./portal changed REF" in page


def test_a_name_of_any_bytes_is_shown() -> None:
    page = summary.render(Affected(tenants={os.fsdecode(b"\xff"): (os.fsdecode(b"tenants/\xff.yaml"),)}))
    assert "&#92;udcff" in page
