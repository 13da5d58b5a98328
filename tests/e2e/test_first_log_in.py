"""From a host name to a first log-in in a browser, with the real images."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.onboarded import Onboarded

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

# With the images local, from an empty drive to the first log-in; on a machine that does nothing else it is half of it.
FIRST_LOG_IN_SECONDS = 120.0


@pytest.mark.alone
def test_from_an_empty_drive_to_the_first_log_in(onboarded: Onboarded, page: Page) -> None:
    """The admin opens the link, chooses a password, and is in; the link is good once."""
    checkout, name, ran = onboarded.portal.checkout, onboarded.portal.name, onboarded.result
    assert ran.code == 0, str(ran)
    facts = ran.facts()
    print(f"\nsteps: {facts['steps']}; {facts['seconds']} s in all")
    link = facts["log_in_link"]
    logs = checkout.portal("logs", name, "--tail", "0").out
    token = link.rstrip("/").rpartition("/")[2]
    assert token not in logs
    page.goto(link)
    page.get_by_role("button", name="Continue").click()
    for each in ("new_password1", "new_password2"):
        page.locator(f"input[name={each}]").fill("a horse of one's own, stapled")
    page.get_by_role("button", name="password").click()
    expect(page.get_by_text("you are logged in")).to_be_visible()
    page.context.clear_cookies()
    page.goto(link)
    expect(page.get_by_text("no longer good")).to_be_visible()
    assert token not in checkout.portal("logs", name, "--tail", "0").out
    # Last: a busy machine says nothing of the log-in.
    assert facts["seconds"] < FIRST_LOG_IN_SECONDS, facts["steps"]
