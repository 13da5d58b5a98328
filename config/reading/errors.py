"""What is wrong with a file, in words its author can act on."""

from dataclasses import dataclass, field

# Enough to mend a file by; a file that is wrong from top to bottom must not fill the screen.
MOST = 100


class ConfigError(Exception):
    """All that is wrong with a configuration: a line each, with file, path, what was found and expected."""

    def __init__(self, *findings: str) -> None:
        super().__init__(*findings)
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(self.findings)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing wrong. `line` only puts findings in the file's order, `path` is as in `hosts/lms`."""

    line: int
    path: str = field(compare=False)
    text: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


class Findings:
    """Collects what is wrong with one file, so that its author sees all of it at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Finding] = []
        self._told: set[str] = set()

    def add(self, line: int, path: str, text: str) -> None:
        """Notes one finding; `line` 0 comes first. Told twice, it is noted once."""
        finding = Finding(line, path, text)
        if str(finding) not in self._told:
            self._told.add(str(finding))
            self._found.append(finding)

    def __len__(self) -> int:
        return len(self._found)

    def ordered(self) -> list[Finding]:
        """In the order of the file; findings of one line in the order in which they were made."""
        return sorted(self._found)

    def lines(self) -> tuple[str, ...]:
        """As an operator reads them, at most MOST of them and then how many more there are."""
        shown = [f"{self.file}: {each}" for each in self.ordered()[:MOST]]
        more = len(self._found) - len(shown)
        return (*shown, f"{self.file}: and {more} more findings") if more else tuple(shown)

    def raise_any(self) -> None:
        """Raises ConfigError unless nothing was found."""
        if self._found:
            raise ConfigError(*self.lines())
