"""Which host names are taken."""

import pytest

from config.values import host_names
from tests.unit.config.values.accepts import accepts


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a.b", True),
        ("learn.acme.com", True),
        ("demo.localhost", True),
        ("1.example", True),
        ("a-b--c.example", True),
        ("xn--bcher-kva.example", True),
        ("x" * 63 + ".example", True),
        (".".join(["abcdefg"] * 31) + ".abcd", True),
        (".".join(["abcdefg"] * 31) + ".abcdef", False),
        ("localhost", False),
        ("", False),
        (".", False),
        ("a.b:80", False),
        ("a.1", False),
        ("a.0x", False),
        ("-a.example", False),
        ("a.example\n", False),
        ("a.example}", False),
        ("xn--.example", False),
        ("xn--abc-.example", False),
        ("user@a.example", False),
    ],
)
def test_a_host_name(text: str, good: bool) -> None:
    assert accepts(host_names.host, text) == good
