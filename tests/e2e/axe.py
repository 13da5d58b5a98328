"""axe-core from npm, which finds accessibility faults of a page."""

import hashlib
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e import debian
from toolchain.paths import cache_directory

VERSION = "4.14.1"
# Of the package as npm hands it out. After a change of version: npm pack axe-core@VERSION; sha512sum
SHA512 = (
    "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73"
    "4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5"
)
FETCH_LIMIT_SECONDS = 300
GRAVE = ("serious", "critical")
RUN = "() => axe.run({resultTypes: ['violations']}).then(found => found.violations)"


def script() -> str:
    """The script that runs in a page, from the cache if it is there."""
    package = cache_directory(os.environ) / "npm" / f"axe-core-{VERSION}.tgz"
    if not package.exists():
        _fetch(package)
    digest = hashlib.sha512(package.read_bytes()).hexdigest()
    assert digest == SHA512, f"{package} has the SHA-512 {digest}, expected {SHA512}"
    with tarfile.open(package) as tar:
        member = tar.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


def _fetch(package: Path) -> None:
    package.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.parent) as half:
        completed = subprocess.run(
            [debian.path("npm", ["npm"]), "pack", f"axe-core@{VERSION}", "--pack-destination", half],
            check=False,
            capture_output=True,
            text=True,
            timeout=FETCH_LIMIT_SECONDS,
        )
        assert completed.returncode == 0, f"npm pack failed:\n{completed.stderr}"
        (Path(half) / package.name).rename(package)


def findings(page: Page, program: str) -> list[str]:
    """The serious faults of the open page, each with its place, one per line."""
    page.evaluate(program)
    return [
        f"{page.url}: {each['id']}: {each['help']}: {node['html'][:200]}"
        for each in page.evaluate(RUN)
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
