"""Reports of a course: which addresses are one's."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from tests.programs import ROOT
from tests.standalone import load

HERE = ROOT / "images" / "openedx" / "portal_settings" / "pages.py"
COURSE = "a" * 40


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Without Django: who asks and for what is decided without it."""
    for name, has in (
        ("django", ()),
        ("django.conf", ("settings",)),
        ("django.http", ("FileResponse", "HttpResponseNotFound")),
    ):
        module = ModuleType(name)
        for each in has:
            setattr(module, each, object())
        monkeypatch.setitem(sys.modules, name, module)
    return load(HERE)


@pytest.mark.parametrize(
    ("below", "is_one"),
    [
        ("/grades.csv", True),
        ("/folder/grades.csv", True),
        ("/.hidden/..grades", True),
        ("/..", False),
        ("/.", False),
        ("/./grades.csv", False),
        ("/../grades.csv", False),
        ("/folder/..", False),
        ("/folder/.", False),
        ("/a/b/c", False),
        ("//grades.csv", False),
    ],
)
def test_no_name_of_a_report_leads_elsewhere(pages: ModuleType, below: str, is_one: bool) -> None:
    staff = SimpleNamespace(is_authenticated=True, is_active=True, is_staff=True)
    assert pages.may_read(staff, COURSE + below) is is_one
    learner = SimpleNamespace(is_authenticated=False, is_active=True, is_staff=True)
    assert not pages.may_read(learner, COURSE + below)
