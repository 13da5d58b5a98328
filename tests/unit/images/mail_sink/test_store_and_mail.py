"""The mail-sink's store and what it makes of a mail: plain Python, without its server."""

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import standalone

APP = Path(__file__).resolve().parents[4] / "images/mail-sink/app"


@pytest.fixture(scope="module")
def sink() -> Iterator[dict[str, ModuleType]]:
    """Its modules that need nothing but Python."""
    with standalone.package(APP, "sink", ("mail", "store")) as modules:
        yield modules


def letter(text: str = "Hello", html: str = "", subject: str = "Hello") -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "a@portal.test", "b@learner.example", subject
    if text:
        made.set_content(text)
    if html and text:
        made.add_alternative(html, subtype="html")
    elif html:
        made.set_content(html, subtype="html")
    return made.as_bytes()


def test_a_mail_comes_back_as_it_came(sink: dict[str, ModuleType], tmp_path: Path) -> None:
    store = sink["store"].Store(tmp_path)
    data = b"Subject: x\r\n\r\n\xff\x00.\r\n"
    name = store.add(data, "a@portal.test", ["b@learner.example", "c@learner.example"])
    for each in (store, sink["store"].Store(tmp_path)):
        kept, content = each.get(name)
        assert content == data
        assert kept.recipients == ("b@learner.example", "c@learner.example")
        assert kept.sender == "a@portal.test"
        assert each.newest("C@learner.example") == [kept]
        assert each.newest("d@learner.example") == []


def test_the_oldest_go_by_number_and_by_size(sink: dict[str, ModuleType], tmp_path: Path) -> None:
    store = sink["store"].Store(tmp_path, most=3)
    names = [store.add(b"x", "", [f"{each}@a.example"]) for each in range(5)]
    assert names == sorted(names)
    assert [each.id for each in store.newest()] == names[:1:-1]
    assert store.get(names[0]) is None
    small = sink["store"].Store(tmp_path, most_bytes=2500)
    small.add(b"y" * 2000, "", [])
    small.add(b"z" * 2000, "", [])
    assert len(small.newest()) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_what_a_kill_left_half_written_is_no_mail(sink: dict[str, ModuleType], tmp_path: Path) -> None:
    (tmp_path / ".01795374331135031366.new").write_bytes(b"half")
    (tmp_path / "README").write_text("not a mail")
    assert sink["store"].Store(tmp_path).newest() == []
    assert [each.name for each in tmp_path.iterdir()] == ["README"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "x", "", "01795374331135031366", "0" * 19])
def test_no_other_file_is_shown(sink: dict[str, ModuleType], tmp_path: Path, name: str) -> None:
    assert sink["store"].Store(tmp_path).get(name) is None


def test_the_text_and_its_links(sink: dict[str, ModuleType]) -> None:
    read = sink["mail"].read(
        letter("See https://portal.test/a?b=1&c=2. Or (http://x.test/y), bye\n", "<p>no</p>")
    )
    assert read.links == ["https://portal.test/a?b=1&c=2", "http://x.test/y"]
    assert "".join(piece for piece, _ in read.pieces) == read.text
    assert [piece for piece, link in read.pieces if link] == read.links


def test_html_is_shown_as_text_that_says_where_links_lead(sink: dict[str, ModuleType]) -> None:
    html = (
        "<html><head><title>t</title><style>p{}</style></head><body><p>One &amp; two</p>"
        "<script>alert(1)</script><a href='https://bad.test/'>https://good.test/</a>"
        "<a href='javascript:alert(1)'>no</a></body></html>"
    )
    read = sink["mail"].read(letter("", html))
    assert "One & two" in read.text
    assert "<https://bad.test/>" in read.text
    assert "alert" not in read.text
    assert read.links == ["https://good.test/", "https://bad.test/"]


def test_headers_in_other_scripts(sink: dict[str, ModuleType]) -> None:
    assert sink["mail"].read(letter(subject="Grüße 😀")).subject == "Grüße 😀"


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_can_be_shown(sink: dict[str, ModuleType], data: bytes) -> None:
    for head in (b"", b"Content-Type: multipart/mixed; boundary=x\n\n--x\n", b"Content-Type: text/html\n\n"):
        read = sink["mail"].read(head + data)
        assert isinstance(read.text, str)
        assert "\n" not in read.subject
        assert all(each.startswith(("http://", "https://")) for each in read.links)
