"""The text of a file that people review: UTF-8 in which nothing is hidden."""

import re
import unicodedata

from config.reading.errors import Findings
from config.reading.words import character

# 64 KiB hold a tenant file twenty times over, and bound the time that any file can take.
LARGEST = 65536
# One such character is rarely alone; ten show what is the matter.
_MOST = 10
# These reorder what a reader sees, comments included. https://trojansource.codes (CVE-2021-42574)
_BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_MARKS = "\u200e\u200f\u061c\ufeff"
_NOT_TEXT = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_SUSPECT = re.compile(r"[^\n\x20-\x7e]")


def read(data: bytes, findings: Findings) -> str | None:
    """The text of a file's bytes, lines ended by a line feed; None with the reasons among the findings."""
    if len(data) > LARGEST:
        findings.add(0, "", f"is larger than {LARGEST // 1024} KiB, expected what a person can review")
        return None
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        findings.add(1, "", "begins with a byte order mark, expected UTF-8 without one")
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        findings.add(line, "", f"line {line}: has the byte 0x{data[error.start]:02x}, expected UTF-8")
        return None
    text = text.replace("\r\n", "\n")
    hidden = [
        (match.start(), reason) for match in _SUSPECT.finditer(text) if (reason := why_forbidden(match[0]))
    ]
    for position, reason in hidden[:_MOST]:
        line = text.count("\n", 0, position) + 1
        findings.add(line, "", f"line {line}: has {reason}")
    return None if hidden else text


def why_forbidden(one: str) -> str:
    """Why a character may stand nowhere in a file; empty if it may."""
    if one == "\t":
        return "a tab, expected spaces"
    if unicodedata.category(one) in _NOT_TEXT:
        return f"the control character U+{ord(one):04X}, expected text"
    if unicodedata.bidirectional(one) in _BIDIRECTIONAL or one in _MARKS:
        return f"{character(one)}, which cannot be seen and may reorder what can"
    return ""
