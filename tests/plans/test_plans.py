"""One readable text file a tenant: the plan that a reviewer would want to see. UPDATE_PLANS=1 writes them anew."""

import os
from pathlib import Path

import pytest

from config.tenant import names
from tests.plans.text import render
from tests.programs import TENANTS, portal

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", names(TENANTS))
def test_plan_reads_as_its_file(name: str) -> None:
    told = render(portal(name))
    path = HERE / f"{name}.txt"
    if os.environ.get("UPDATE_PLANS"):
        path.write_text(told)
    assert told == path.read_text(), f"UPDATE_PLANS=1 ./portal test tests/plans writes {path.name} anew"


def test_every_plan_has_a_tenant() -> None:
    assert {path.stem for path in HERE.glob("*.txt")} == set(names(TENANTS))
