"""What a plugin may say when something cannot be done: always one line, never a traceback."""

from collections.abc import Mapping
from typing import Any


def one_line(text: str) -> str:
    """Return `text` with every run of white space, line ends included, as one space."""
    return " ".join(text.split())


class Refused(Exception):
    """The operation failed and left nothing behind. The message is one line, for the user."""

    def __init__(self, reason: str) -> None:
        super().__init__(one_line(reason))


class Cancelled(Refused):
    """The CLI asked to end; what was waited for may still happen later."""


class HalfMade(Exception):
    """A resource was made but is not fit for use: it goes into the state with the reason."""

    def __init__(self, resource_id: str, outputs: Mapping[str, Any], reason: str) -> None:
        super().__init__(one_line(reason))
        self.resource_id = resource_id
        self.outputs = dict(outputs)
