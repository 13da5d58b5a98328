"""`destroy` removes containers and keeps data: the next `up` finds everybody and everything where it was."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from testbed.trial import Trial
from tests.e2e.pages import Course, Visitor, new_page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

LEARNER = ("emmy", "Noether-rings-1921")
COURSE = Course(title="Rings and Ideals", org="oak", number="RI201", run="2024_T2")
GENERATED = (
    "admin-password",
    "cms-sso-secret",
    "edxapp-secret-key",
    "forum-api-key",
    "mongo-password",
    "mysql-edxapp-password",
    "mysql-root-password",
    "rabbitmq-password",
    "redis-password",
    "search-password",
)
DIRECTORIES = {
    *("elasticsearch", "mail-sink", "mailer", "media", "mongo", "mysql"),
    *("overrides", "rabbitmq", "redis", "rendered", "static"),
}


@dataclass(frozen=True, kw_only=True)
class Before:
    """What was there before the portal was destroyed and brought up again."""

    passwords: Mapping[str, str]
    left: set[str]
    directories: set[str]


@pytest.fixture(scope="module")
def reborn(oak: Trial, browser: Browser) -> Before:
    """The portal after a learner registered, an author published, and it was destroyed and brought up again."""
    with new_page(browser) as page:
        author = Visitor(page=page, portal=oak)
        author.log_in(*oak.admin_credentials(), service="cms")
        author.create(COURSE)
        author.published(COURSE)
    with new_page(browser) as page:
        Visitor(page=page, portal=oak).register(*LEARNER)
    passwords = oak.passwords()
    oak.destroy()
    left = oak.objects.ids(oak.name)
    directories = set(oak.objects.run_on_drive(oak.root, f"ls /drive/{oak.name}").split())
    oak.up()
    return Before(passwords=passwords, left=left, directories=directories)


def test_destroy_leaves_nothing_on_the_engine(reborn: Before) -> None:
    """Leftover networks and volumes would meet the next portal."""
    assert reborn.left == set()


def test_destroy_leaves_every_directory_on_the_drive(reborn: Before) -> None:
    """Deleting data is another command."""
    assert reborn.directories == DIRECTORIES


def test_the_next_up_has_passwords_of_its_own(reborn: Before, oak: Trial) -> None:
    """Those of before are forgotten with the stack, so data stores must take new ones on old data."""
    now = oak.passwords()
    assert now.keys() == reborn.passwords.keys() == set(GENERATED)
    assert [name for name in now if now[name] == reborn.passwords[name]] == []


def test_the_portal_is_whole(reborn: Before, oak: Trial) -> None:
    """Healthy, and nothing would change."""
    oak.assert_whole()


def test_the_learner_logs_in(reborn: Before, oak: Trial, page: Page) -> None:
    """An account that is gone is a learner's work that is gone."""
    Visitor(page=page, portal=oak).log_in(*LEARNER)


def test_the_admin_logs_in_with_the_new_password(reborn: Before, oak: Trial, page: Page) -> None:
    """What `up` prints must be true every time."""
    Visitor(page=page, portal=oak).log_in(*oak.admin_credentials(), service="cms")


def test_the_course_is_listed(reborn: Before, oak: Trial, page: Page) -> None:
    """Mongo kept it."""
    page.goto(oak.url())
    expect(page.get_by_role("link", name=COURSE.title)).to_be_visible()


def test_the_course_is_found(reborn: Before, oak: Trial, page: Page) -> None:
    """Elasticsearch kept its index."""
    Visitor(page=page, portal=oak).search(COURSE, "ideals")
