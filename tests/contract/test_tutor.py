"""Public images are planned as Tutor runs them; where not, a table says why (data/tutor-<release>.yml).

The table has one entry a reason. Its facts stand under `only ours`, `only theirs` or `different`; `*` is any text.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.releases.release import Releases
from tests.contract import tutor
from tests.programs import ROOT, released

DATA = Path(__file__).parent / "data"
KINDS = ("only ours", "only theirs", "different")


def differences(ours: dict[str, str], theirs: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every fact that is not the same on both sides, with its kind."""
    for path in sorted(ours.keys() | theirs.keys()):
        if path not in theirs:
            yield "only ours", path
        elif path not in ours:
            yield "only theirs", path
        elif ours[path] != theirs[path]:
            yield "different", path


@pytest.mark.parametrize("release", Releases(ROOT / "config" / "releases").known())
def test_every_difference_from_tutor_has_a_reason(release: str, tmp_path: Path) -> None:
    table: dict[str, Any] = yaml.safe_load((DATA / f"tutor-{release}.yml").read_text())
    tenant = released("acme", release, tmp_path)
    root = tmp_path / "tutor"
    root.mkdir()
    env = tutor.render_environment(tutor.install_tutor(table["tutor"]), root, table["plugins"], tenant)
    ours, theirs = tutor.planned_facts(tenant), tutor.tutor_facts(env, table["names"])
    assert len(theirs) > 100

    rows = [(kind, row) for each in table["reasons"] for kind in KINDS for row in each.get(kind, [])]
    differing = list(differences(ours, theirs))
    untold = [
        f"{kind}: {path}: {ours.get(path, '-')} | {theirs.get(path, '-')}"
        for kind, path in differing
        if not any(kind == row_kind and fnmatchcase(path, row) for row_kind, row in rows)
    ]
    assert not untold, "no reason in the table for:\n" + "\n".join(untold)
    stale = [
        f"{kind}: {row}"
        for kind, row in rows
        if not any(kind == is_ and fnmatchcase(p, row) for is_, p in differing)
    ]
    assert not stale, "no difference any more:\n" + "\n".join(stale)
    assert all(each["reason"].strip() and set(each) <= {"reason", *KINDS} for each in table["reasons"])
