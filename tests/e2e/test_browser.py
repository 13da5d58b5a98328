"""What people do with a portal, in a real browser, through the load balancer, by host name."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from testbed.trial import Trial
from testbed.waiting import until
from tests.e2e.pages import Course, Visitor, new_page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

STANDS_IN = "stand-in for edx-platform"
COURSE = Course(
    title="Gardens of the North",
    org="oak",
    number="GN101",
    run="2024_T1",
    description="Moss, fern and a short summer.",
)
# Twice the number of links on a page: whoever needs more key strokes has lost the way.
MOST_TABS = 20


@pytest.fixture
def visitor(page: Page, oak: Trial) -> Visitor:
    """Somebody who is not logged in."""
    return Visitor(page=page, portal=oak)


@pytest.fixture(scope="module")
def published(browser: Browser, oak: Trial) -> Course:
    """A course that the admin has made in the cms and a worker has published."""
    with new_page(browser) as page:
        author = Visitor(page=page, portal=oak)
        author.log_in(*oak.admin_credentials(), service="cms")
        author.create(COURSE)
        author.published(COURSE)
    return COURSE


def test_the_admin_logs_in_to_the_lms(visitor: Visitor) -> None:
    """With what `up` has printed, and nothing else."""
    visitor.log_in(*visitor.portal.admin_credentials())
    expect(visitor.page.get_by_role("button", name="Log out admin")).to_be_visible()


def test_the_admin_logs_in_to_the_cms(visitor: Visitor) -> None:
    """Authors work there."""
    visitor.log_in(*visitor.portal.admin_credentials(), service="cms")
    assert urlsplit(visitor.page.url).hostname == f"studio.{visitor.portal.host}"


def test_a_wrong_password_is_refused(visitor: Visitor) -> None:
    """The page says so and lets nobody in."""
    page = visitor.page
    page.goto(visitor.portal.url("/login"))
    page.get_by_label("E-mail or user name").fill("admin")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("main")).to_contain_text("correct")
    expect(page.get_by_role("button", name="Log out")).to_have_count(0)


def test_a_course_made_in_the_cms_appears_in_the_lms(visitor: Visitor, published: Course) -> None:
    """Through Mongo, RabbitMQ and a worker."""
    visitor.page.goto(visitor.portal.url())
    visitor.page.get_by_role("link", name=published.title, exact=True).click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(published.title)
    expect(visitor.page.get_by_role("main")).to_contain_text(published.description)


def test_the_search_finds_a_course(visitor: Visitor, published: Course) -> None:
    """Through Elasticsearch, by a word of the title."""
    visitor.search(published, "gardens")


def test_the_search_finds_nothing_where_nothing_is(visitor: Visitor, published: Course) -> None:
    """A search that finds everything is no search."""
    visitor.page.goto(visitor.portal.url("/search?q=volcanoes"))
    expect(visitor.page.get_by_role("main")).to_contain_text("Nothing found")
    expect(visitor.page.get_by_role("link", name=published.title)).to_have_count(0)


def test_a_learner_registers_and_logs_in_again(visitor: Visitor) -> None:
    """An account that is made must be there in the next session."""
    visitor.register("ada", "Bernoulli-numbers-1843")
    visitor.page.get_by_role("button", name="Log out").click()
    expect(visitor.page.get_by_role("button", name="Log out")).to_have_count(0)
    visitor.log_in("ada@example.com", "Bernoulli-numbers-1843")


def test_a_learner_cannot_make_a_course(visitor: Visitor) -> None:
    """The cms is the authors'."""
    visitor.register("grace", "Compilers-from-1952")
    visitor.page.goto(visitor.portal.url("/home", "cms"))
    expect(visitor.page.get_by_role("alert")).to_contain_text("The studio is for authors.")
    expect(visitor.page.get_by_role("button", name="Create and publish")).to_have_count(0)


def test_a_worker_makes_a_report(visitor: Visitor, published: Course) -> None:
    """A task goes to the queue and its result comes back."""
    visitor.log_in(*visitor.portal.admin_credentials())
    visitor.page.goto(visitor.portal.url("/dashboard"))
    visitor.page.get_by_role("button", name="Make a grade report").click()
    done = re.compile(r"Done at .*: \d+ course")

    def reported() -> bool:
        visitor.page.goto(visitor.portal.url("/dashboard"))
        return bool(done.search(visitor.page.get_by_role("main").inner_text()))

    until("the grade report to be done", reported)


def test_every_page_says_that_it_stands_in(visitor: Visitor, published: Course) -> None:
    """Nobody may take it for Open edX."""
    visitor.log_in(*visitor.portal.admin_credentials())
    visitor.log_in(*visitor.portal.admin_credentials(), service="cms")
    pages = {
        "lms": (
            "/",
            "/courses",
            "/search",
            "/search?q=x",
            "/dashboard",
            "/account/password",
            "/nothing-here",
        ),
        "cms": ("/home", "/nothing-here"),
    }
    for service, paths in pages.items():
        for path in paths:
            visitor.page.goto(visitor.portal.url(path, service))
            expect(visitor.page.get_by_role("complementary")).to_contain_text(STANDS_IN)


def test_every_page_for_strangers_says_that_it_stands_in(visitor: Visitor) -> None:
    """The log-in pages as well."""
    for service, path in (
        ("lms", "/login"),
        ("lms", "/register"),
        ("lms", "/"),
        ("cms", "/signin"),
        ("cms", "/"),
    ):
        visitor.page.goto(visitor.portal.url(path, service))
        expect(visitor.page.get_by_role("complementary")).to_contain_text(STANDS_IN)


def test_pages_carry_the_portals_own_name(visitor: Visitor) -> None:
    """Each client's title is in the tenant file."""
    visitor.page.goto(visitor.portal.url())
    assert "Oak University" in visitor.page.title()
    expect(visitor.page.get_by_role("banner").get_by_role("link", name="Oak University")).to_be_visible()


def test_one_logs_in_by_keyboard_alone(visitor: Visitor) -> None:
    """Not everybody has a mouse."""
    page = visitor.page
    name, password = visitor.portal.admin_credentials()
    page.goto(visitor.portal.url("/login"))
    tab_to(page, "E-mail or user name")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


@pytest.mark.parametrize(
    ("service", "path"), [("lms", "/"), ("lms", "/login"), ("lms", "/register"), ("cms", "/signin")]
)
def test_pages_are_fit_for_screen_readers(visitor: Visitor, service: str, path: str) -> None:
    """A language, one first heading, a name for every field and button."""
    page = visitor.page
    page.goto(visitor.portal.url(path, service))
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    nameless = page.locator("input:visible, textarea:visible, button:visible").evaluate_all(
        "all => all.filter(e => !(e.labels?.length || e.ariaLabel || e.innerText?.trim())).map(e => e.outerHTML)"
    )
    assert nameless == []


def test_pages_ask_nothing_of_other_hosts(visitor: Visitor) -> None:
    """A private portal must not tell others who reads what, and works where there is no internet."""
    hosts: set[str] = set()
    failed: list[str] = []
    visitor.page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    visitor.page.on("response", lambda reply: failed.append(reply.url) if reply.status >= 400 else None)
    visitor.page.on("pageerror", lambda error: failed.append(str(error)))
    for path in ("/", "/login", "/register", "/search"):
        visitor.page.goto(visitor.portal.url(path), wait_until="load")
    assert hosts - {""} == {f"{visitor.portal.host}:{visitor.portal.port}"}
    assert failed == []


def test_static_files_come_from_nginx(visitor: Visitor) -> None:
    """A page without its style sheet means that assets, nginx or the route are broken."""
    with visitor.page.expect_response(re.compile(r"/static/.*\.css")) as caught:
        visitor.page.goto(visitor.portal.url())
    assert caught.value.status == 200
    assert "Caddy" in (caught.value.header_value("via") or caught.value.header_value("server") or "")


def test_the_first_page_can_be_looked_at(visitor: Visitor, published: Course, tmp_path: Path) -> None:
    """A picture for whoever reviews a change of the pages: its path is printed."""
    visitor.page.goto(visitor.portal.url())
    picture = tmp_path / "lms.png"
    visitor.page.screenshot(path=picture)
    print(f"\nthe lms's first page: {picture}")
    assert picture.stat().st_size > 5_000


def tab_to(page: Page, label: str) -> None:
    """Press Tab until the field of that label has the focus."""
    field = page.get_by_label(label)
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if field.evaluate("field => field === document.activeElement"):
            return
    raise AssertionError(f"{MOST_TABS} key strokes did not lead to {label!r}")
