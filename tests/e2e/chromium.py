"""The path and the options of Debian's Chromium."""

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
