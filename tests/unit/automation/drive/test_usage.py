"""How full the drive is, read from what a helper said, and what is told of it."""

import dataclasses
from typing import Any

import pytest

from automation.drive import usage
from automation.drive.quota import Share
from automation.drive.usage import Usage
from automation.errors import PortalError
from config.tenant.tenant import Tenant
from tests.programs import TENANTS

DF = "/dev/sdb1       1048576000 52428800 943718400      6% /drive\n"
GIB = 1024


def tenant(quota: int = 0) -> Tenant:
    acme = Tenant.load("acme", TENANTS)
    return dataclasses.replace(
        acme, storage=dataclasses.replace(acme.storage, quota=f"{quota}MiB" if quota else "")
    )


@pytest.mark.parametrize(
    ("output", "usage_now"),
    [
        (DF, Usage(size=1024000, free=921600)),
        (DF + "used 2097152 1790000000", Usage(size=1024000, free=921600, used=2048, measured=1790000000)),
        (DF + "no files\n", Usage(size=1024000, free=921600, directory=False)),
        (DF + "uncounted 124\n", Usage(size=1024000, free=921600, uncounted=124)),
        # Of the quota: no line of it is taken for the drive's.
        (
            "quota-users :0:0:4294967295\nquota-drive /dev/sdb1 5 1 4 1% /drive\n" + DF,
            Usage(size=1024000, free=921600, share=Share(size=5)),
        ),
        # A record that was cut short, or that somebody has written into, counts as none.
        (DF + "used 20", Usage(size=1024000, free=921600)),
        (DF + "used x 1790000000", Usage(size=1024000, free=921600)),
    ],
)
def test_what_a_helper_says(output: str, usage_now: Usage) -> None:
    assert usage.parse(output) == usage_now


@pytest.mark.parametrize("output", ["", "df: /drive: Stale file handle", "used 1 2"])
def test_what_cannot_be_understood_is_no_number(output: str) -> None:
    with pytest.raises(PortalError, match="cannot read the space of the drive"):
        usage.parse(output)


@pytest.mark.parametrize(
    ("usage_now", "quota", "words"),
    [
        (Usage(size=1000 * GIB, free=200 * GIB), 0, []),
        (Usage(size=1000 * GIB, free=60 * GIB), 0, []),
        (Usage(size=1000 * GIB, free=49 * GIB), 0, ["50176 of 1024000 MiB free"]),
        (Usage(size=100 * GIB, free=10 * GIB), 0, []),
        (Usage(size=100 * GIB, free=10 * GIB - 1), 0, ["10239 of 102400 MiB free"]),
        (Usage(size=100 * GIB, free=1023), 0, ["1023 MiB free: no portal starts with less than 1024"]),
        (Usage(size=100 * GIB, free=0), 0, ["0 MiB free: no portal starts"]),
        (Usage(size=100 * GIB, free=90 * GIB, used=5 * GIB, measured=1), 0, []),
        (Usage(size=100 * GIB, free=90 * GIB, used=799, measured=1), 1000, []),
        (
            Usage(size=100 * GIB, free=90 * GIB, used=800, measured=1),
            1000,
            ["uses 800 MiB, of its 1000"],
        ),
        (Usage(size=100 * GIB, free=90 * GIB, used=1001, measured=1), 1000, ["1001 MiB, more than its 1000"]),
        (Usage(size=100 * GIB, free=90 * GIB), 1000, []),
        (Usage(size=100 * GIB, free=0, used=1001, measured=1), 1000, ["0 MiB free", "more than its 1000"]),
    ],
)
def test_what_is_told_before_it_is_full(usage_now: Usage, quota: int, words: list[str]) -> None:
    warnings = list(usage.warnings(usage_now, tenant(quota)))
    assert len(warnings) == len(words)
    assert all(word in line for word, line in zip(words, warnings, strict=True))
    assert usage.facts(usage_now, tenant(quota))["warnings"] == warnings


def limited(limit: int, used: int, **how: Any) -> Usage:
    """Of a portal that its file system holds to `limit` MiB."""
    there = Share(size=100 * GIB * 1024, own=(limit * 1024, (limit - used) * 1024), **how)
    return Usage(size=100 * GIB, free=90 * GIB, used=used, measured=1, share=there)


@pytest.mark.parametrize(
    ("usage_now", "quota", "words"),
    [
        (limited(20 * GIB, 10 * GIB), 20 * GIB, []),
        (limited(20 * GIB, 17 * GIB), 20 * GIB, ["uses 17408 MiB, of its 20480"]),
        # An operator's own limit, of which the file says nothing.
        (limited(20 * GIB, 17 * GIB), 0, ["uses 17408 MiB, of its 20480"]),
        (limited(10 * GIB, 9 * GIB), 20 * GIB, ["uses 9216 MiB, of its 10240"]),
        (
            limited(20 * GIB, 20 * GIB - 1000),
            20 * GIB,
            ["has 1000 MiB left of the 20480 that the file system lets it have"],
        ),
        (limited(20 * GIB, 5, files=(5242880, 4_000_000)), 20 * GIB, []),
        (
            limited(20 * GIB, 5, files=(5242880, 4_200_000)),
            20 * GIB,
            ["has 4200000 of the 5242880 files that the file system lets it have (storage/quota)"],
        ),
        # Those of the whole file system.
        (limited(20 * GIB, 5, files=(52428800, 52428799)), 20 * GIB, []),
    ],
)
def test_what_is_told_of_a_limit_that_holds(usage_now: Usage, quota: int, words: list[str]) -> None:
    warnings = list(usage.warnings(usage_now, tenant(quota)))
    assert len(warnings) == len(words)
    assert all(word in line for word, line in zip(words, warnings, strict=True))


@pytest.mark.parametrize(
    ("usage_now", "quota", "held", "words"),
    [
        (limited(20 * GIB, 5), 20 * GIB, True, "uses 5 of 20480; the file system holds it to 20480"),
        (limited(20 * GIB, 5, files=(5242880, 7)), 20 * GIB, True, "the file system holds it to 20480"),
        (limited(20 * GIB, 5), 0, None, "uses 5 of 20480; the file system holds it to 20480"),
        (
            Usage(
                size=100 * GIB,
                free=9,
                used=5,
                measured=1000,
                share=Share(kind="nfs4", size=100 * GIB * 1024, own=(100 * GIB * 1024, 9)),
            ),
            20 * GIB,
            False,
            "uses 5 of 20480 (5 min ago); its quota of 20480 is watched, not enforced: /srv/portals is nfs4",
        ),
    ],
)
def test_which_of_both_it_is(usage_now: Usage, quota: int, held: bool | None, words: str) -> None:
    facts = usage.facts(usage_now, tenant(quota))
    assert facts["quota_held"] is held
    assert facts["limit_mib"] == (usage_now.share.limit or None)
    assert (facts["files"], facts["limit_files"]) == ((7, 5242880) if usage_now.share.files else (None, None))
    assert words in usage.summary_line(facts, now=1300)


@pytest.mark.parametrize(
    ("usage_now", "quota", "line"),
    [
        (
            Usage(size=2, free=1, uncounted=124),
            0,
            "drive: 1 of 2 MiB free; the portal's files were not counted within 3 s",
        ),
        # A file server's fault, or a drive that cannot be written: no matter of time.
        (
            Usage(size=2, free=1, uncounted=1),
            0,
            "drive: 1 of 2 MiB free; the portal's files could not be counted",
        ),
        (Usage(size=2, free=1), 0, "drive: 1 of 2 MiB free; the portal's files could not be counted"),
        (
            Usage(size=2, free=1, directory=False),
            0,
            "drive: 1 of 2 MiB free; the portal has no files there yet",
        ),
        (
            Usage(size=2, free=1, used=1, measured=1000),
            0,
            "drive: 1 of 2 MiB free; the portal uses 1 (5 min ago)",
        ),
        (
            Usage(size=2, free=1, used=1, measured=1000),
            7,
            "drive: 1 of 2 MiB free; the portal uses 1 of 7 (5 min ago); its quota of 7 is watched, not enforced: "
            "/srv/portals is of an unknown kind, which has no project quotas; XFS and ext4 have them",
        ),
    ],
)
def test_a_line_for_people(usage_now: Usage, quota: int, line: str) -> None:
    assert usage.summary_line(usage.facts(usage_now, tenant(quota)), now=1300) == line
