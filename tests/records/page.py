"""Writes docs/standin.md: what was recorded of the real edx-platform, and the table of differences."""

from collections import Counter

from tests.records import differences
from tests.records.record import records

HEAD = """# The stand-in beside the real Open edX

`openedx-standin` has a part of edx-platform's APIs. Where it answers, it answers as edx-platform does, except as this page says.
The answers of an edx-platform of March 2023 (between Olive and Palm) were recorded on 2026-11-30: {records} requests with their answers,
in [tests/records/openedx](../tests/records/openedx). A test sends the same requests to the stand-in and compares every answer.
[Rules](../tests/records/rules.yml) say what may differ from one portal or moment to the next. The test also compares what the lms asks
the forum, the mails, and the queues.

{alike} of the {records} answers are the same in every place that is compared: status, headers, and each key and value. The others differ only
where this page says so. A difference that is missing here fails the test. So does one that is listed here and no longer exists.

An add-on that uses only what is the same runs unchanged on both.

| Requests | About |
|---|---|
{files}

## What is different

| Where | What | Why |
|---|---|---|
{rows}

Written from [tests/records](../tests/records) by `UPDATE_PLANS=1 ./portal test tests/contract/test_openedx_records.py`.
"""
ABOUT = {
    "1-health.yml": "health, the token against forged requests, pages that are not there",
    "2-tokens.yml": "OAuth2: tokens of clients and users, refused ones, revoked ones",
    "3-log-in.yml": "log-in, log-out, registration, a forgotten password",
    "4-accounts.yml": "accounts and preferences",
    "5-courses.yml": "the catalogue, and a course's blocks",
    "6-enrolments.yml": "enrolments",
    "7-learning.yml": "grades, completion, certificates",
    "8-discussion.yml": "the discussion",
}


def page() -> str:
    """The page's text."""
    all_records = records()
    count = Counter(each.file for each in all_records)
    return HEAD.format(
        records=len(all_records),
        alike=differences.alike(),
        files="\n".join(f"| {count[file]} | {about} |" for file, about in ABOUT.items()),
        rows="\n".join(
            f"| {_names(row.records)} | {_names(row.places)} | {row.reason} |" for row in differences.table()
        ),
    )


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{each}`" for each in names)
