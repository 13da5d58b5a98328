"""Text of others on a terminal or in a CI job's log: all of it is seen, and nothing of it is obeyed.

Others' are file names, titles, logs of containers, what git, Pulumi and engines say. An allow-list: whatever is not known to
be harmless is written out, as `\\u001b`.
"""

import re

# Joiners without which Persian and many emojis are other words; spaces that only keep words together.
_HARMLESS = frozenset("\u200c\u200d\u00a0\u202f")
_WRITTEN = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
# GitHub takes a line that begins so for a command, after white space of any kind, and the older form anywhere in a line; Azure's
# is like that. https://github.com/actions/runner/blob/258d6c857db3/src/Runner.Common/ActionCommand.cs#L50-L130
# GitLab's section markers have a carriage return and an escape in them, which are written out.
_COMMAND = re.compile(r"^(\s*):(?=:.*::)")
_OLDER_COMMAND = re.compile(r"#(?=#\w*\[)")


def line(text: str) -> str:
    """The text on one line: line breaks, tabs, controls and what turns the direction of writing are written out."""
    return _no_command(text if text.isprintable() else "".join(map(visible, text)))


def lines(text: str) -> str:
    """The text with its line breaks and tabs, and all else as `line` has it."""
    return "\n".join(_whole(each) for each in text.replace("\r\n", "\n").split("\n"))


def no_commands(text: str) -> str:
    """Lines that `lines` has been through, laid out anew since: none of them is a command of a CI job's log."""
    return "\n".join(map(_no_command, text.split("\n")))


def visible(letter: str) -> str:
    """One letter, written out unless it is known to be harmless."""
    if letter.isprintable() or letter in _HARMLESS:
        return letter
    if letter in _WRITTEN:
        return _WRITTEN[letter]
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"


def _whole(text: str) -> str:
    if text.isprintable():
        return _no_command(text)
    return _no_command("".join("\t" if letter == "\t" else visible(letter) for letter in text))


def _no_command(text: str) -> str:
    if ":" in text:
        text = _COMMAND.sub(r"\1\\u003a", text)
    return _OLDER_COMMAND.sub(r"\\u0023", text) if "##" in text else text
