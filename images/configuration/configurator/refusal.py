"""Why a file of overrides was refused."""

from dataclasses import dataclass


# Not frozen: contextlib sets the traceback of what passes through a `with`.
@dataclass(eq=False)
class Refusal(Exception):
    """What is wrong, and where. Lines and columns count from 1; 0 means the file as a whole."""

    reason: str
    line: int = 0
    column: int = 0
    key: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}: " if self.line else ""
        return f"{place}{self.key + ': ' if self.key else ''}{self.reason}"
