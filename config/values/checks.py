"""Checks of single values: the value to use, or ValueError with what was found and what is expected."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from config.reading.words import character, characters, comma_separated, quoted
from config.values.host_names import host

LARGEST_MEMORY = 64 * 1024
LARGEST_QUOTA = 1024 * 1024
# MiB that the drive has to have free before a portal starts: below it a data store would not get through its first start.
LEAST_FREE = 1024
# That, and as much again for the files of a new portal: with less, one that has started could not be started anew.
SMALLEST_QUOTA = 2 * LEAST_FREE
MEMORY = re.compile(r"([1-9][0-9]{0,8})(MiB|GiB)")
USERNAME = re.compile(r"[A-Za-z0-9_.@+-]+")
QUEUE = re.compile(r"[a-z][a-z0-9_]*")
MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# Some templates of edx-platform have attributes without quotes, some of its mails no escaping: without these a text
# can add neither an attribute nor a tag.
MARKUP = '<>="`'
# Persian and Indic scripts, and emoji, are not written right without these two.
_JOINERS = "\u200c\u200d"


def title(text: str) -> str:
    """What people call a portal or a release: 1 to 80 characters that can be seen."""
    if not 1 <= len(text) <= 80:
        raise ValueError(f"{quoted(text)} has {characters(text)}, expected 1 to 80")
    odd = next((each for each in text if not each.isprintable() and each not in _JOINERS), None)
    if odd:
        name = character(odd) if odd.isprintable() else f"U+{ord(odd):04X}"
        raise ValueError(f"{quoted(text)} has the character {name}, which cannot be seen")
    markup = next((each for each in text if each in MARKUP), None)
    if markup:
        raise ValueError(f"{quoted(text)} has {character(markup)}, which pages could take for their own")
    if text != text.strip():
        raise ValueError(f"{quoted(text)} begins or ends with a space")
    if not text.strip(_JOINERS):
        raise ValueError(f"{quoted(text)} has no character that can be seen")
    return text


def email(text: str) -> str:
    """A mail address as people have it; quoted mailboxes and addresses in brackets are none."""
    mailbox, at, domain = text.rpartition("@")
    if not text.isascii():
        odd = next(each for each in text if not each.isascii())
        raise ValueError(f"{quoted(text)} has {character(odd)}, expected ASCII")
    if not at or not MAILBOX.fullmatch(mailbox) or len(mailbox) > 64 or len(text) > 254:
        raise ValueError(f"{quoted(text)} is not a mail address")
    try:
        host(domain.lower())
    except ValueError as error:
        raise ValueError(f"{quoted(text)} is not a mail address: {error}") from None
    return text


def username(text: str) -> str:
    """A user of Open edX: Django's characters, and the 2 to 30 of them that Open edX takes."""
    if not 2 <= len(text) <= 30:
        raise ValueError(f"{quoted(text)} has {characters(text)}, expected 2 to 30")
    if not USERNAME.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a user name, expected letters, digits and '_.@+-'")
    return text


def memory(text: str) -> int:
    """A size in MiB, of text such as `512MiB` or `1GiB`."""
    mib = size(text)
    if mib > LARGEST_MEMORY:
        raise ValueError(f"{quoted(text)} is more than 64GiB")
    return mib


def size(text: str) -> int:
    """MiB of a size such as `512MiB` or `1GiB`."""
    match = MEMORY.fullmatch(text)
    if not match:
        raise ValueError(f"{quoted(text)} is not a size, expected a whole number of MiB or GiB")
    return int(match[1]) * (1024 if match[2] == "GiB" else 1)


def quota(text: str) -> str:
    """What a portal may take of the drive: a size of 2 to 1024 GiB."""
    if size(text) < SMALLEST_QUOTA:
        raise ValueError(
            f"{quoted(text)} is less than {SMALLEST_QUOTA}MiB, and a portal starts only where {LEAST_FREE} of it are free"
        )
    if size(text) > LARGEST_QUOTA:
        raise ValueError(f"{quoted(text)} is more than 1024GiB")
    return text


@dataclass(frozen=True)
class OrNothing:
    """A check that also takes nothing."""

    check: Callable[[str], str]

    def __call__(self, text: str) -> str:
        return self.check(text) if text else ""


def smarthost(text: str) -> str:
    """A mail server and its port."""
    name, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or port.startswith("0") or int(port) > 65535:
        raise ValueError(f"{quoted(text)} is not a server with its port")
    host(name)
    return text


def account(text: str) -> str:
    """A user name of another's server: what can be seen, on one line."""
    if len(text) > 200 or not text.isprintable() or text != text.strip():
        raise ValueError(
            f"{quoted(text)} is not a user name, expected at most 200 characters that can be seen"
        )
    return text


@dataclass(frozen=True)
class Between:
    """A check that a number lies between two others, both included."""

    least: int
    most: int

    def __call__(self, number: int) -> int:
        if not self.least <= number <= self.most:
            raise ValueError(f"{number} is out of range, expected {self.least} to {self.most}")
        return number


@dataclass(frozen=True)
class OneOf:
    """A check that a text is one of the known ones."""

    known: tuple[str, ...]

    def __call__(self, text: str) -> str:
        if text not in self.known:
            raise ValueError(f"{quoted(text)} is not known, expected one of: {comma_separated(self.known)}")
        return text


def version(text: str) -> str:
    """A version as its makers write it."""
    if not re.fullmatch(r"[0-9A-Za-z]+([._-][0-9A-Za-z]+)*", text) or len(text) > 40:
        raise ValueError(f"{quoted(text)} is not a version, expected digits, letters and '._-'")
    return text


def day(text: str) -> date:
    """A day, as 2024-12-16."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"{quoted(text)} is not a day, expected year, month and day")


def https(text: str) -> str:
    """The address of a page that anybody can read."""
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(/[A-Za-z0-9._~%#/-]*)?", text) or len(text) > 300:
        raise ValueError(f"{quoted(text)} is not the address of a page")
    return text


def class_path(text: str) -> str:
    """The path of a Python class."""
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", text, re.ASCII) or len(text) > 120:
        raise ValueError(f"{quoted(text)} is not the path of a class")
    return text


def queue(text: str) -> str:
    """A Celery queue of Open edX, without the `edx.lms.core.` before it."""
    if not QUEUE.fullmatch(text) or len(text) > 40:
        raise ValueError(f"{quoted(text)} is not a queue, expected lower case, digits and '_'")
    return text


def word(text: str) -> str:
    """A name of ours: lower case, digits and single hyphens."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text) or len(text) > 40:
        raise ValueError(f"{quoted(text)} is not a name, expected lower case, digits and single hyphens")
    return text
