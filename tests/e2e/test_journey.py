"""One course from the author's log-in to the learner's last unit, in a real browser, through every wire of a portal."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from testbed.trial import Trial
from testbed.waiting import until
from tests.e2e.pages import Course, Visitor, new_page
from tests.e2e.pictures import png

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

COURSE = Course(
    title="Lichens of the Coast",
    org="oak",
    number="LC101",
    run="2024_T1",
    description="Two that live as one.",
    lesson="A lichen is a fungus and an alga.",
)
PASSWORD = "Peltigera-canina-1753"


def test_from_the_author_s_log_in_to_the_learner_s_last_unit(
    browser: Browser, page: Page, oak: Trial, tmp_path: Path
) -> None:
    """The author comes in by single sign-on; the learner registers, finds, enrols, posts and completes."""
    picture = tmp_path / "lichen.png"
    picture.write_bytes(png(320, 180))
    with new_page(browser) as desk:
        author = Visitor(page=desk, portal=oak)
        come_in(author)
        author.create(COURSE, picture)

        learner = Visitor(page=page, portal=oak)
        learner.register("lynn", PASSWORD)
        learner.search(COURSE, "lichens")
        page.get_by_role("link", name=COURSE.title, exact=True).click()
        see_picture(page)
        page.get_by_role("button", name="Enrol").click()
        expect(page.get_by_text("0 of 1 units done")).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text(COURSE.lesson)

        discuss(page)
        author.enrol(COURSE)
        answer(desk)
        page.reload()
        expect(page.get_by_role("main")).to_contain_text("On the north side.")

        page.get_by_role("navigation", name="Course").get_by_role("link", name="Course").click()
        page.get_by_role("button", name="Mark as done").click()
        expect(page.get_by_text("1 of 1 units done")).to_be_visible()
        page.get_by_role("link", name="Dashboard").click()
        expect(page.get_by_role("main")).to_contain_text(re.compile(rf"{COURSE.title}: done on"))


def come_in(author: Visitor) -> None:
    """From the studio's first page to the lms's form and back, and no form the next time."""
    page, portal = author.page, author.portal
    page.goto(portal.url("/", "cms"))
    page.get_by_role("link", name="Log in to the studio").click()
    assert urlsplit(page.url).hostname == portal.host
    name, password = portal.admin_credentials()
    page.get_by_label("E-mail or user name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Create and publish")).to_be_visible()
    assert urlsplit(page.url).hostname == f"studio.{portal.host}"
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Log in to the studio").click()
    expect(page.get_by_role("button", name="Create and publish")).to_be_visible()


def see_picture(page: Page) -> None:
    """The course's image comes from the drive, by nginx."""
    image = page.get_by_role("main").locator("img")
    assert re.fullmatch(r"/media/course_images/[0-9a-f]{32}\.png", image.get_attribute("src") or "")
    until("the picture to be drawn", lambda: image.evaluate("image => image.naturalWidth") == 320)


def discuss(page: Page) -> None:
    """Post to the course's discussion, and find it there."""
    page.get_by_role("link", name="Discussion").click()
    expect(page.get_by_text("Nobody has posted yet")).to_be_visible()
    page.get_by_label("Subject").fill("Where do they grow?")
    page.get_by_label("Your post").fill("I have found none.")
    page.get_by_role("button", name="Post").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where do they grow?")
    expect(page.get_by_role("main")).to_contain_text("lynn writes:")


def answer(page: Page) -> None:
    """The author answers the learner's post."""
    page.get_by_role("link", name="Discussion").click()
    page.get_by_role("link", name="Where do they grow?").click()
    page.get_by_label("Your answer").fill("On the north side.")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_role("main")).to_contain_text("On the north side.")
