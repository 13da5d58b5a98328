"""A command that has ended: its words, exit code and output."""

import json
from dataclasses import dataclass
from typing import Any

# Enough to see in a test's report why a command failed.
LAST_LINES = 40


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """`out` and `err` are standard output and error; `seconds` is how long it took."""

    words: str
    code: int
    out: str
    err: str
    seconds: float

    @property
    def output(self) -> str:
        """The output of both streams."""
        return f"{self.out}\n{self.err}"

    def facts(self) -> Any:
        """Standard output as the one JSON object that `--json` promises."""
        return json.loads(self.out)

    def __str__(self) -> str:
        tail = "\n".join(self.output.strip().splitlines()[-LAST_LINES:])
        return f"$ {self.words}\n{tail}\n(exit code {self.code} after {self.seconds:.1f} s)"
