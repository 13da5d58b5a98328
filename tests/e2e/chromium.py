"""Debian's Chromium: its path, its options, and a headless one that runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e import debian

NAMES = ("chromium", "chromium-browser", "google-chrome")
WORDS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def path() -> str:
    """The path of a Chromium; raises debian.NoProgram."""
    return debian.path("chromium", NAMES)


@contextmanager
def headless(page_limit_ms: int) -> Iterator[Browser]:
    """One that finds *.localhost on the loopback address by itself; whatever is expected of a page has `page_limit_ms`."""
    expect.set_options(timeout=page_limit_ms)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path(), headless=True, args=WORDS)
        yield started
        started.close()
