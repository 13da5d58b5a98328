"""`python -m tests.e2e.screenshot URL PATH`: a picture of a page, such as docs/demo-lms.png.

That one shows the demo portal with a few courses:
./portal demo && python -m tests.e2e.screenshot http://demo.localhost:8080 docs/demo-lms.png
"""

import sys

from playwright.sync_api import sync_playwright

from tests.e2e import chromium


def main(url: str, path: str) -> None:
    """Open `url` in headless Chromium and save what a visitor sees first as a PNG file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.path(), args=chromium.WORDS)
        page = browser.new_page(viewport={"width": 1280, "height": 720}, locale="en")
        page.goto(url, wait_until="networkidle")
        page.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
