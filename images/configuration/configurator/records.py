"""What the product knows of its own work, where only it writes: below `rendered`, which no admin of a portal has.

Beside the overrides lie copies for people to read. They are written and never read: whoever may write there could
make them say anything.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from configurator import files
from configurator.log import say
from configurator.paths import Places

KEPT = 50
PAGES = ("lms", "cms")
_VERSION = re.compile(r"([0-9]{6,})-([0-9a-f]{12})\.yml")
# Beside the overrides anybody may have written: no number so high that none can follow it.
_PUBLISHED = re.compile(r"([0-9]{6})-([0-9a-f]{12})\.yml")
_LARGEST = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Version:
    """One accepted file; number 0 is a portal without overrides."""

    number: int
    sha256: str
    since: str


def sha(data: bytes) -> str:
    """The hash that names a file's content."""
    return hashlib.sha256(data).hexdigest()


NONE = Version(number=0, sha256=sha(b""), since="")


@dataclass(frozen=True, kw_only=True)
class State:
    """The last judgement: `by` what rules, of which file (`checked`), what is accepted, what was refused or waits.

    Accepted is what services try to take up; in force is what they were ready with (`Records.in_force`).
    """

    by: str
    checked: str
    accepted: Version
    refused: dict[str, Any] | None
    waiting: dict[str, Any] | None = None
    """A file that could not be tried: `tries`, `next` (seconds since 1970, None for never) and `reason`."""


class Records:
    """Every container of a portal has the same, on the drive."""

    def __init__(self, places: Places) -> None:
        self._public = places.overrides
        self.root = places.rendered / "records"
        self.history = self.root / "versions"

    def prepare(self) -> None:
        """The folders. A portal of before has its versions beside the overrides: taken over, once."""
        if self.history.is_dir():
            return
        for name in ("rejected", "live"):
            (self.root / name).mkdir(mode=0o750, parents=True, exist_ok=True)
        partial = self.root / "versions.partial"
        partial.mkdir(mode=0o750, exist_ok=True)
        for name, data in self._published_versions():
            files.write(partial / name, data)
        partial.rename(self.history)

    def _published_versions(self) -> Iterator[tuple[str, bytes]]:
        folder = self._public / "history"
        if folder.is_symlink() or not folder.is_dir():
            return
        named = [(path, _PUBLISHED.fullmatch(path.name)) for path in sorted(folder.iterdir())]
        for path, name in [(path, name) for path, name in named if name][-KEPT:]:
            try:
                found = files.read_regular(path, _LARGEST)
            except OSError:
                continue
            if found and sha(found[0]).startswith(name[2]):
                yield path.name, found[0]

    # Judgements

    def state(self) -> State | None:
        """The last judgement; a broken one counts as none, since all of it can be found again."""
        said = self._json(self.root / "state.json")
        try:
            if said and "in_force" in said:
                # As it was called before.
                said["accepted"] = said.pop("in_force")
            return State(**{**said, "accepted": Version(**said["accepted"])}) if said else None
        except (TypeError, KeyError):
            return None

    def judged(self, state: State) -> None:
        """Keep a judgement, and show it beside the overrides. Raises OSError."""
        files.write(self.root / "state.json", _text(asdict(state)))
        self.show(state)

    def show(self, state: State) -> None:
        """Lay a judgement beside the overrides, with what is in force."""
        in_force = self.in_force()
        said = {**asdict(state), "in_force": asdict(in_force) if in_force else None}
        self.publish(("status.json",), _text(said))

    def in_force(self) -> Version | None:
        """What every service of pages was ready with: the oldest of theirs. None before the first was ready."""
        ready = [version for service in PAGES if (version := self.live(service))]
        return min(ready, key=lambda version: version.number, default=None)

    def publish(self, names: tuple[str, ...], data: bytes) -> None:
        """Lay a copy beside the overrides. It decides nothing, so what keeps it from that is said and no more."""
        try:
            files.publish(self._public, names, data)
        except OSError as error:
            say(f"overrides/{'/'.join(names)} cannot be written: {error.strerror}")

    # Versions

    def versions(self) -> list[tuple[Path, int]]:
        """The kept ones with their numbers, newest first."""
        found = [(path, _VERSION.fullmatch(path.name)) for path in self.history.glob("*.yml")]
        return sorted(((path, int(name[1])) for path, name in found if name), key=lambda each: -each[1])

    def keep(self, version: Version, data: bytes) -> None:
        """Keep an accepted file; the oldest goes. Raises OSError."""
        name = f"{version.number:06d}-{version.sha256[:12]}.yml"
        files.write(self.history / name, data)
        self.publish(("history", name), data)
        for path, _ in self.versions()[KEPT:]:
            path.unlink(missing_ok=True)
            with suppress(OSError):
                files.withdraw(self._public, ("history", path.name))

    def content(self, version: Version) -> bytes | None:
        """A kept version's file as it was accepted; None where it is not kept, or is no longer what it was."""
        if version.sha256 == NONE.sha256:
            return b""
        data = files.read(self.history / f"{version.number:06d}-{version.sha256[:12]}.yml", _LARGEST)
        return data if data is not None and sha(data) == version.sha256 else None

    def kept(self) -> Iterator[tuple[bytes, Version]]:
        """The kept versions with their content, newest first."""
        for path, number in self.versions():
            data = files.read(path, _LARGEST) or b""
            since = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
            yield data, Version(number=number, sha256=sha(data), since=since)

    # What the software said

    def reject(self, by: str, sha256: str, checked: str, reason: str) -> None:
        """The software does not start with a content; forgotten with other rules, or when the file is written anew."""
        files.write(self._rejection(by, sha256), _text({"checked": checked, "reason": reason}))

    def rejected(self, by: str, sha256: str, checked: str | None) -> str:
        """Why a content is rejected; `checked` is the file that has it now, None for one that is no file any more."""
        said = self._json(self._rejection(by, sha256))
        return str(said["reason"]) if said and checked in (None, said.get("checked")) else ""

    def forgive(self, by: str, sha256: str) -> None:
        """A content was written anew: it is tried once more."""
        self._rejection(by, sha256).unlink(missing_ok=True)

    def _rejection(self, by: str, sha256: str) -> Path:
        return self.root / "rejected" / f"{by[:12]}-{sha256[:12]}.json"

    def live(self, service: str) -> Version | None:
        """The version that a service last was ready with."""
        said = self._json(self.root / "live" / f"{service}.json")
        try:
            return Version(**said["version"]) if said else None
        except (TypeError, KeyError):
            return None

    def lives(self, service: str, version: Version) -> None:
        """A service is ready with a version, and has failed in a row no more. Raises OSError."""
        self._failures(service).unlink(missing_ok=True)
        files.write(self.root / "live" / f"{service}.json", _text({"version": asdict(version)}))

    def failures(self, by: str, service: str, sha256: str) -> int:
        """One more start of a service that ended before it was ready, with nothing older to go back to: how many.

        In a row, with one content and the same rules.
        """
        path, now = self._failures(service), {"by": by, "sha256": sha256}
        said = self._json(path) or {}
        same = {name: said.get(name) for name in now} == now
        count = 1 + (int(said["count"]) if same else 0)
        files.write(path, _text({**now, "count": count}))
        return count

    def _failures(self, service: str) -> Path:
        return self.root / "live" / f"{service}.failures.json"

    def _json(self, path: Path) -> dict[str, Any] | None:
        try:
            said = json.loads(files.read(path, _LARGEST) or b"null")
        except (OSError, ValueError):
            return None
        return said if isinstance(said, dict) else None


def _text(said: object) -> bytes:
    return (json.dumps(said, indent=2) + "\n").encode()
