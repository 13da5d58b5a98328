"""The versions in pins.toml, and how versions compare."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import ToolchainError

Version = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Pins:
    pulumi: str
    pulumi_oldest: str
    official: str
    archives: Mapping[str, str]
    plugins: Mapping[str, str]
    go: str
    go_oldest: str
    engine_oldest_api: str
    debian: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls) -> "Pins":
        content = tomllib.loads(Path(__file__).with_name("pins.toml").read_text())
        return cls(
            pulumi=content["pulumi"]["version"],
            pulumi_oldest=content["pulumi"]["oldest"],
            official=content["pulumi"]["official"],
            archives=_sums(content["archives"]),
            plugins=content["plugins"],
            go=content["go"]["version"],
            go_oldest=content["go"]["oldest"],
            engine_oldest_api=content["engine"]["oldest_api"],
            debian={part: tuple(names) for part, names in content["debian"].items()},
        )

    def sum_of(self, archive: str) -> str:
        """The SHA-256 that an archive must have, by its file's name. Raises ToolchainError where none is known."""
        if archive not in self.archives:
            raise ToolchainError(
                f"{archive} has no SHA-256 under [archives] in toolchain/pins.toml, so it cannot be "
                "verified: add it there (the file says how), or build it here with "
                "PORTAL_TOOLCHAIN=packages"
            )
        return self.archives[archive]


def _sums(archives: Mapping[str, str]) -> Mapping[str, str]:
    for name, each in archives.items():
        if not re.fullmatch("[0-9a-f]{64}", each):
            raise ToolchainError(
                f"toolchain/pins.toml: archives: {name}: {each!r} is not a SHA-256, expected 64 lower case hex digits"
            )
    return archives


def version(text: str) -> Version:
    """The first dotted number in a text: `go version go1.26.8 linux/amd64` is (1, 26, 8).

    Raises ToolchainError when there is none.
    """
    match = re.search(r"\d+(?:\.\d+)+", text)
    if match is None:
        raise ToolchainError(f"no version number in {text.strip()[:80]!r}")
    return tuple(int(number) for number in match.group().split("."))


def is_new_enough(have: str, oldest: str, *, same_major: bool) -> bool:
    """Whether a version is new enough, and (for what promises nothing across majors) of the same major number."""
    try:
        actual = version(have)
    except ToolchainError:
        return False
    oldest_version = version(oldest)
    return actual >= oldest_version and (actual[0] == oldest_version[0] or not same_major)
