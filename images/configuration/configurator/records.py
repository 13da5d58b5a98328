"""The configurator's own records, below `rendered`, where no admin of a portal writes.

Copies for people and programs are beside the overrides. They are never read: a portal's admin may change them.
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
from configurator.paths import Paths

KEPT_VERSIONS = 50
PAGES = ("lms", "cms")
_VERSION = re.compile(r"([0-9]{6,})-([0-9a-f]{12})\.yml")
# An admin may have written these names. The number must not be so high that no higher one exists.
_PUBLISHED = re.compile(r"([0-9]{6})-([0-9a-f]{12})\.yml")
_LARGEST = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Version:
    """One accepted file; number 0 means no overrides."""

    number: int
    sha256: str
    since: str


def sha256_of(data: bytes) -> str:
    """The SHA-256 of a file's content."""
    return hashlib.sha256(data).hexdigest()


NONE = Version(number=0, sha256=sha256_of(b""), since="")


@dataclass(frozen=True, kw_only=True)
class State:
    """The last check: by which rules (`by`, a fingerprint), of which file (`checked`, its mark), and its result.

    Services try to start with the `accepted` version. In force is what they were ready with (`Records.in_force`).
    """

    by: str
    checked: str
    accepted: Version
    refused: dict[str, Any] | None
    waiting: dict[str, Any] | None = None
    """A file that Ansible could not render: `tries`, `next` (seconds since 1970, None for never) and `reason`."""


class Records:
    """The records, on the drive: all containers of a portal read and write the same ones."""

    def __init__(self, paths: Paths) -> None:
        self._public = paths.overrides
        self.root = paths.rendered / "records"
        self.history = self.root / "versions"

    def make_folders(self) -> None:
        """Make the folders, once. Versions that an older release kept beside the overrides are copied."""
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
        for path, name in [(path, name) for path, name in named if name][-KEPT_VERSIONS:]:
            try:
                content = files.read_regular(path, _LARGEST)
            except OSError:
                continue
            if content and sha256_of(content[0]).startswith(name[2]):
                yield path.name, content[0]

    # Checks

    def read_state(self) -> State | None:
        """The last check's result; None if it cannot be read: it can be made again."""
        content = self._read_json(self.root / "state.json")
        try:
            if content and "in_force" in content:
                # The key's earlier name.
                content["accepted"] = content.pop("in_force")
            return State(**{**content, "accepted": Version(**content["accepted"])}) if content else None
        except (TypeError, KeyError):
            return None

    def save_state(self, state: State) -> None:
        """Write a check's result, and its copy beside the overrides. Raises OSError."""
        files.write(self.root / "state.json", _json_bytes(asdict(state)))
        self.publish_state(state)

    def publish_state(self, state: State) -> None:
        """Write a check's result beside the overrides, with the version in force."""
        in_force = self.in_force()
        content = {**asdict(state), "in_force": asdict(in_force) if in_force else None}
        self.publish_copy(("status.json",), _json_bytes(content))

    def in_force(self) -> Version | None:
        """The version that both lms and cms were ready with: the older of theirs. None before the first was ready."""
        ready = [version for service in PAGES if (version := self.last_ready_version(service))]
        return min(ready, key=lambda version: version.number, default=None)

    def publish_copy(self, names: tuple[str, ...], data: bytes) -> None:
        """Write a copy beside the overrides. If that fails, only the log says so, because nothing depends on the copy."""
        try:
            files.write_below(self._public, names, data)
        except OSError as error:
            say(f"overrides/{'/'.join(names)} cannot be written: {error.strerror}")

    # Versions

    def version_files(self) -> list[tuple[Path, int]]:
        """The files of the kept versions with their numbers, newest first."""
        matches = [(path, _VERSION.fullmatch(path.name)) for path in self.history.glob("*.yml")]
        return sorted(((path, int(name[1])) for path, name in matches if name), key=lambda each: -each[1])

    def save_version(self, version: Version, data: bytes) -> None:
        """Keep an accepted file, and delete the oldest. Raises OSError."""
        name = f"{version.number:06d}-{version.sha256[:12]}.yml"
        files.write(self.history / name, data)
        self.publish_copy(("history", name), data)
        for path, _ in self.version_files()[KEPT_VERSIONS:]:
            path.unlink(missing_ok=True)
            with suppress(OSError):
                files.delete_below(self._public, ("history", path.name))

    def version_content(self, version: Version) -> bytes | None:
        """The content of a kept version as it was accepted; None if it is not kept or was changed."""
        if version.sha256 == NONE.sha256:
            return b""
        data = files.read(self.history / f"{version.number:06d}-{version.sha256[:12]}.yml", _LARGEST)
        return data if data is not None and sha256_of(data) == version.sha256 else None

    def versions_with_content(self) -> Iterator[tuple[bytes, Version]]:
        """The kept versions with their content, newest first."""
        for path, number in self.version_files():
            data = files.read(path, _LARGEST) or b""
            since = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
            yield data, Version(number=number, sha256=sha256_of(data), since=since)

    # What the software reported

    def save_rejection(self, by: str, sha256: str, checked: str, reason: str) -> None:
        """Record that the software does not start with a content. Other rules, or a newly written file, make it void."""
        files.write(self._rejection_file(by, sha256), _json_bytes({"checked": checked, "reason": reason}))

    def rejection_reason(self, by: str, sha256: str, checked: str | None) -> str:
        """Why a content is rejected, or an empty text. `checked` is the mark of the file that has it, None for a kept version."""
        content = self._read_json(self._rejection_file(by, sha256))
        return str(content["reason"]) if content and checked in (None, content.get("checked")) else ""

    def delete_rejection(self, by: str, sha256: str) -> None:
        """Forget the rejection of a content, because it was written again: it is tried once more."""
        self._rejection_file(by, sha256).unlink(missing_ok=True)

    def _rejection_file(self, by: str, sha256: str) -> Path:
        return self.root / "rejected" / f"{by[:12]}-{sha256[:12]}.json"

    def last_ready_version(self, service: str) -> Version | None:
        """The version with which a service was last ready."""
        content = self._read_json(self.root / "live" / f"{service}.json")
        try:
            return Version(**content["version"]) if content else None
        except (TypeError, KeyError):
            return None

    def save_ready_version(self, service: str, version: Version) -> None:
        """Record that a service is ready with a version, and clear its count of failures. Raises OSError."""
        self._failures_file(service).unlink(missing_ok=True)
        files.write(self.root / "live" / f"{service}.json", _json_bytes({"version": asdict(version)}))

    def count_failure(self, by: str, service: str, sha256: str) -> int:
        """Count one more start of a service that ended before it was ready; returns how many in a row.

        Only failures with the same content and the same rules count.
        """
        path, now = self._failures_file(service), {"by": by, "sha256": sha256}
        content = self._read_json(path) or {}
        same = {name: content.get(name) for name in now} == now
        count = 1 + (int(content["count"]) if same else 0)
        files.write(path, _json_bytes({**now, "count": count}))
        return count

    def _failures_file(self, service: str) -> Path:
        return self.root / "live" / f"{service}.failures.json"

    def _read_json(self, path: Path) -> dict[str, Any] | None:
        try:
            content = json.loads(files.read(path, _LARGEST) or b"null")
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else None


def _json_bytes(content: object) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()
