"""Onboards every client of a CSV file: `python -m docs.examples.onboard clients.csv`, after `eval "$(./portal env)"`.

Its first line names the columns: name and lms, and any other text that automation.OnboardingRequest has (title, email, cms, mail, …).
As many at a time as there are processors. Run again with the same file it goes on with whoever is not done, and changes
nothing of the others. One JSON object a client on standard output: it has the first log-in's link, so it is not for a log.
"""

import csv
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from automation import OnboardingRequest, for_each_tenant
from automation.fleet.outcome import Outcome

COLUMNS = [each.name for each in fields(OnboardingRequest) if each.type is str]
KEYS = ("tenant", "addresses", "log_in_link", "steps", "seconds")


def main(words: list[str]) -> int:
    """Onboard them all; 1 when one of them failed, which keeps no other back."""
    if len(words) != 1:
        say("usage: python -m docs.examples.onboard clients.csv")
        return 2
    with Path(words[0]).open(newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    named = set(rows[0]) if rows else set()
    if not {"name", "lms"} <= named <= set(COLUMNS):
        say(f"{words[0]}: expected the columns name and lms, and any of {', '.join(COLUMNS)}")
        return 2
    outcomes = for_each_tenant("onboard", [request(row) for row in rows], say=say, on_outcome=tell)
    return 0 if all(each.ok for each in outcomes) else 1


def request(row: dict[str, str]) -> OnboardingRequest:
    """What a client asks for; an empty field is left to be found."""
    fields: dict[str, Any] = {column: value for column, value in row.items() if value}
    return OnboardingRequest(**fields)


def tell(outcome: Outcome) -> None:
    """One client's portal, or why there is none."""
    if outcome.ok:
        print(json.dumps({key: outcome.facts[key] for key in KEYS}), flush=True)
    else:
        say(f"{outcome.tenant}: failed: {outcome.reason}")


def say(text: str) -> None:
    """A line of progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
