"""The checks of single values, as tables."""

from collections.abc import Callable

import pytest

from config.values import checks
from tests.unit.config.values.accepts import accepts, cases

TAKEN = [
    (checks.email, "a@b.example", True),
    (checks.email, "first.last+tag@sub.example.com", True),
    (checks.email, "O'Hara@Example.COM", True),
    (checks.email, "x" * 64 + "@example.com", True),
    (checks.email, "x" * 65 + "@example.com", False),
    (checks.email, ".a@b.example", False),
    (checks.email, "a.@b.example", False),
    (checks.email, '"a b"@b.example', False),
    (checks.email, "a@[192.0.2.1]", False),
    (checks.email, "a@192.0.2.1", False),
    (checks.email, "a@b@c.example", False),
    (checks.email, "@b.example", False),
    (checks.email, "a@", False),
    (checks.username, "admin", True),
    (checks.username, "a.b+c@d-e_f", True),
    (checks.username, "admin\n", False),
    (checks.username, "ädmin", False),
    (checks.title, "x" * 80, True),
    (checks.title, "A 😀 B", True),
    (checks.title, "x\u00a0y", False),
    (checks.title, "x\x7f", False),
    (checks.quota, "2GiB", True),
    (checks.quota, "2048MiB", True),
    (checks.quota, "2047MiB", False),
    (checks.quota, "1GiB", False),
    (checks.quota, "1024GiB", True),
    (checks.quota, "1025GiB", False),
    (checks.title, "\ue000", False),
]


@cases(TAKEN)
def test_a_check_takes_what_is_good_and_only_that(
    check: Callable[[str], object], text: str, good: bool
) -> None:
    assert accepts(check, text) == good


@pytest.mark.parametrize(
    ("text", "mebibytes"),
    [("1MiB", 1), ("512MiB", 512), ("1GiB", 1024), ("64GiB", 65536), ("65536MiB", 65536)],
)
def test_memory_is_in_mebibytes(text: str, mebibytes: int) -> None:
    assert checks.memory(text) == mebibytes


@pytest.mark.parametrize(
    "text", ["", "512", "512MB", "512mib", "0512MiB", "-1MiB", "1.5GiB", "65GiB", "9" * 30 + "GiB", "1MiB\n"]
)
def test_no_memory(text: str) -> None:
    assert not accepts(checks.memory, text)
