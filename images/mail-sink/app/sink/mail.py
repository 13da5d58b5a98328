"""Reads the headers, text and links of a mail, whatever its format is."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

LONGEST_TEXT = 200_000
_LINK = re.compile(r"https?://[^\s<>\"'\u00a0]+[^\s<>\"'\u00a0.,;:!?)\]]")
_BREAKS = frozenset(("p", "br", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "hr"))
_HIDDEN = frozenset(("script", "style", "head", "title"))


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail as text."""

    sender: str
    to: str
    subject: str
    text: str
    attachments: tuple[str, ...]

    @property
    def links(self) -> list[str]:
        """The links of the text, in their order."""
        return _LINK.findall(self.text)

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it is a link."""
        parts, place = [], 0
        for match in _LINK.finditer(self.text):
            parts += [(self.text[place : match.start()], False), (match[0], True)]
            place = match.end()
        return [each for each in (*parts, (self.text[place:], False)) if each[0]]


def read(data: bytes) -> Mail:
    """Parse a mail; invalid mails give something that can be shown, too."""
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return Mail(
        sender=header(message, "From"),
        to=header(message, "To"),
        subject=header(message, "Subject"),
        text=body(message)[:LONGEST_TEXT],
        attachments=tuple(part.get_filename() or part.get_content_type() for part in attachments_of(message)),
    )


def header(message: EmailMessage, name: str) -> str:
    """A header as one line; empty if it is missing or cannot be read."""
    try:
        return " ".join(str(message.get(name) or "").split())
    except Exception:  # noqa: BLE001 (the email package raises many kinds of errors for invalid mails)
        return ""


def body(message: EmailMessage) -> str:
    """The text part, else the text of the HTML part."""
    try:
        part = message.get_body(("plain", "html"))
        if part is None:
            return ""
        text = str(part.get_content())
    except Exception:  # noqa: BLE001
        return "(this mail cannot be read)"
    return text_of(text) if part.get_content_type() == "text/html" else text


def attachments_of(message: EmailMessage) -> list[EmailMessage]:
    """The attachments."""
    try:
        return [part for part in message.iter_attachments() if isinstance(part, EmailMessage)]
    except Exception:  # noqa: BLE001
        return []


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.hidden = 0
        self.link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in _HIDDEN
        if tag in _BREAKS:
            self.words.append("\n")
        if tag == "a":
            self.link = dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in _HIDDEN and self.hidden > 0
        if tag == "a" and self.link.startswith(("http://", "https://")):
            # The text of a link may name another address than its target.
            self.words.append(f" <{self.link}> ")
        if tag == "a":
            self.link = ""

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(re.sub(r"\s+", " ", data))


def text_of(html: str) -> str:
    """The text in some HTML, with the addresses of its links."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = (line.strip() for line in "".join(parser.words).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
