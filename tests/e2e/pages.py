"""What people do on a portal's pages. Elements are found by the text that people read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from testbed.trial import Trial
from testbed.waiting import until

PAGE_LIMIT_MS = 20_000


@contextmanager
def new_page(browser: Browser) -> Iterator[Page]:
    """A fresh tab without cookies."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en")
    context.set_default_timeout(PAGE_LIMIT_MS)
    yield context.new_page()
    context.close()


@dataclass(frozen=True, kw_only=True)
class Course:
    """The fields of a course that an author fills in."""

    title: str
    org: str
    number: str
    run: str
    description: str = ""
    lesson: str = ""

    @property
    def key(self) -> str:
        """The course key, as in URLs."""
        return f"course-v1:{self.org}+{self.number}+{self.run}"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """A person with a browser, on one portal."""

    page: Page
    portal: Trial

    def log_in(self, name: str, password: str, service: str = "lms") -> None:
        """Log in by the lms's form, which the cms leads to, too; the page then names who is logged in.

        Whoever is logged in to the lms already is asked nothing by the cms.
        """
        self.page.goto(self.portal.url("/login" if service == "lms" else "/signin", service))
        if self.page.get_by_role("button", name="Log out").is_visible():
            return
        self.page.get_by_label("E-mail or user name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("button", name="Log out")).to_be_visible()

    def register(self, name: str, password: str) -> None:
        """Make a learner's account, open the link of its mail where the portal sends one, and be logged in."""
        address = f"{name}@example.com"
        self.page.goto(self.portal.url("/register"))
        self.page.get_by_label(re.compile("^E-mail")).fill(address)
        self.page.get_by_label("Public user name").fill(name)
        self.page.get_by_label(re.compile("^Password:?$")).fill(password)
        self.page.get_by_label("Password confirmation").fill(password)
        self.page.get_by_role("button", name="Create the account").click()
        heading = self.page.get_by_role("heading", level=1)
        expect(heading).to_have_text(re.compile("^(Look at your mail|Dashboard of )"))
        if heading.inner_text() == "Look at your mail":
            self.activate(address)
            self.log_in(name, password)
        expect(self.page.get_by_role("button", name=f"Log out {name}")).to_be_visible()

    def activate(self, address: str) -> None:
        """Open the link of the activation mail."""
        [link] = until(f"a mail to {address}", lambda: self.portal.mailed_links(address))
        self.page.goto(link)
        self.page.get_by_role("button", name="Continue").click()
        expect(self.page.get_by_role("status")).to_contain_text("Your account is active")

    def create(self, course: Course, picture: Path | None = None) -> None:
        """Create and publish a course, logged in to the cms; the page then says that it is published."""
        self.page.goto(self.portal.url("/home", "cms"))
        self.page.get_by_label("Title").fill(course.title)
        self.page.get_by_label("Organization").fill(course.org)
        self.page.get_by_label("Course number").fill(course.number)
        self.page.get_by_label("Course run").fill(course.run)
        self.page.get_by_label("Description").fill(course.description)
        self.page.get_by_label("Text of the first unit").fill(course.lesson)
        if picture:
            self.page.get_by_label("Image").set_input_files(picture)
        self.page.get_by_role("button", name="Create and publish").click()
        expect(self.page.get_by_role("heading", name=course.title)).to_be_visible()

    def enrol(self, course: Course) -> None:
        """Enrol in a course, logged in to the lms."""
        self.page.goto(self.portal.url(f"/courses/{course.key}/about"))
        self.page.get_by_role("button", name="Enrol").click()
        expect(self.page.get_by_role("button", name="Mark as done")).to_be_visible()

    def published(self, course: Course) -> None:
        """Wait until a worker has published a course: the lms's first page lists it."""
        until(
            f"{course.title} on the lms's first page",
            lambda: self.page.goto(self.portal.url()) and self._link(course).is_visible(),
        )

    def search(self, course: Course, words: str) -> None:
        """Look for a course in the lms until the search finds it: an index shows what is new a moment later."""
        until(f"{course.title} found by {words!r}", lambda: self._finds(course, words))

    def _finds(self, course: Course, words: str) -> bool:
        self.page.goto(self.portal.url())
        self.page.get_by_label("Find a course").fill(words)
        self.page.get_by_role("button", name="Search").click()
        expect(self.page.get_by_role("heading", name="Search")).to_be_visible()
        return self._link(course).is_visible()

    def _link(self, course: Course) -> Locator:
        return self.page.get_by_role("link", name=course.title, exact=True)
