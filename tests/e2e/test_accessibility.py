"""Every kind of page, for whoever sees, points or reads otherwise than its maker: axe-core, and a telephone's width."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from testbed.trial import Trial
from tests.e2e import axe
from tests.e2e.pages import Course, Visitor, new_page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

COURSE = Course(
    title="Unabridged-and-extraordinarily-long-words-that-cannot-be-broken-anywhere",
    org="oak",
    number="WIDE101",
    run="2024_T1",
    description="What does not fit.",
)
KEY = COURSE.key
STRANGERS = (
    ("lms", "/"),
    ("lms", "/login"),
    ("lms", "/register"),
    ("lms", "/registered"),
    ("lms", "/password_reset/"),
    ("lms", "/activate/x/y"),
    ("lms", "/oauth2/authorize?client_id=nobody"),
    ("lms", "/nothing-here"),
    ("lms", f"/courses/{KEY}/about"),
    ("cms", "/"),
    ("cms", "/complete/edx-oauth2/"),
)
LOGGED_IN = (
    ("lms", "/search?q=long"),
    ("lms", "/dashboard"),
    ("lms", "/account/password"),
    ("lms", f"/courses/{KEY}/about"),
    ("lms", f"/courses/{KEY}/course/"),
    ("lms", f"/courses/{KEY}/discussion/forum/"),
    ("cms", "/home"),
    ("cms", f"/course/{KEY}/image"),
)
PHONE: ViewportSize = {"width": 360, "height": 640}


@pytest.fixture(scope="module")
def program() -> str:
    """axe-core."""
    return axe.script()


@pytest.fixture(scope="module")
def author(browser: Browser, oak: Trial) -> Iterator[Visitor]:
    """The admin, logged in to both, enrolled in a course of their own."""
    with new_page(browser) as page:
        made = Visitor(page=page, portal=oak)
        made.log_in(*oak.admin_credentials(), service="cms")
        made.create(COURSE)
        made.published(COURSE)
        made.enrol(COURSE)
        yield made


@pytest.fixture
def stranger(page: Page, oak: Trial, author: Visitor) -> Visitor:
    """Somebody who is not logged in, once there is a course."""
    return Visitor(page=page, portal=oak)


@pytest.mark.parametrize(("service", "path"), STRANGERS)
def test_a_page_for_everybody(stranger: Visitor, program: str, service: str, path: str) -> None:
    look(stranger, program, service, path)


@pytest.mark.parametrize(("service", "path"), LOGGED_IN)
def test_a_page_for_people_with_an_account(author: Visitor, program: str, service: str, path: str) -> None:
    look(author, program, service, path)


def look(visitor: Visitor, program: str, service: str, path: str) -> None:
    """Nothing grave by day, by night and on a telephone, where nothing is wider than the screen."""
    page = visitor.page
    before = page.viewport_size
    assert before is not None
    page.goto(visitor.portal.url(path, service))
    try:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert axe.findings(page, program) == []
        page.set_viewport_size(PHONE)
        assert axe.findings(page, program) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    finally:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(before)
