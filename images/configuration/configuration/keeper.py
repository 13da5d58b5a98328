"""Which version of the overrides is in force: judged, kept, reported beside the file."""

import fcntl
import hashlib
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from configuration import files, plain, rendering, variables
from configuration.places import Places
from configuration.refusal import Refusal

KEPT = 50
LOCK_SECONDS = 150.0
_VERSION = re.compile(r"([0-9]{6})-([0-9a-f]{12})\.yml")


@dataclass(frozen=True, kw_only=True)
class Version:
    """One accepted file; number 0 is a portal without overrides."""

    number: int
    sha256: str
    since: str


NONE = Version(number=0, sha256=hashlib.sha256(b"").hexdigest(), since="")


@dataclass(frozen=True, kw_only=True)
class InForce:
    """What a service is to run with: the version, and the folder of its settings files."""

    version: Version
    folder: Path
    refused: str
    unsure: bool = False
    """Ansible failed, perhaps for want of memory or disk: worth another try although the file is the same."""


class Keeper:
    """Every container of a portal has one; whoever sees a change first judges it, the others take the verdict."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.table = variables.Table.load(places.home / "variables.yml")
        self.status = places.overrides / "status.json"
        self.history = places.overrides / "history"

    def seen(self) -> str:
        """Changes when the file does, and when another container has found that what is in force does not start."""
        known = self._known()
        return f"{_sha(self._file())} {known['in_force']['number'] if known else ''}"

    def settle(self) -> InForce:
        """Judge the file as it is now, and have the settings of what is in force rendered.

        Raises OSError where the drive does not let us, AnsibleError where Ansible fails for another reason than the
        overrides.
        """
        with self._locked():
            self.history.mkdir(mode=0o750, exist_ok=True)
            data = self._file()
            by = rendering.fingerprint(self.places)
            known = self._known()
            if known.get("by") == by and known.get("checked") == _sha(data) and self._good(known):
                return self._again(known, data)
            return self._judge(data, by, known)

    def reject(self, version: Version, reason: str) -> None:
        """The software does not start with a version: as if its file had been refused."""
        files.write(self._rejection(version.sha256), reason.encode())

    def restore(self, number: int) -> None:
        """Make an accepted version the file again. Raises Refusal if it is not among the kept."""
        for path, found in self._versions():
            if found == number:
                files.write(self.places.file, path.read_bytes())
                return
        kept = ", ".join(str(found) for _, found in self._versions()) or "none"
        raise Refusal(f"version {number} is not kept; kept are: {kept}")

    def versions(self) -> list[int]:
        """The numbers of the kept versions, newest first."""
        return [number for _, number in self._versions()]

    def _file(self) -> bytes:
        return files.read(self.places.file, plain.LARGEST_BYTES) or b""

    def _judge(self, data: bytes, by: str, known: dict[str, Any]) -> InForce:
        refused: Refusal | None = None
        unsure = False
        before = self._before(known)
        own = rendering.own(self.places)
        for candidate, version in [(data, None), *before, (b"", NONE)]:
            try:
                values = self._checked(candidate, own)
                folder = rendering.ensure(self.places, candidate, values)
            except Refusal as error:
                if candidate == b"":
                    raise rendering.AnsibleError(f"without any overrides: {error}") from error
                refused = refused or error
                continue
            except rendering.AnsibleError as error:
                if candidate == b"":
                    raise
                refused, unsure = refused or Refusal(str(error)), True
                continue
            version = version or self._accept(candidate, known)
            self._report("" if unsure else _sha(data), by, version, refused)
            return InForce(version=version, folder=folder, refused=str(refused or ""), unsure=unsure)
        raise AssertionError("an empty file is always accepted")

    def _checked(self, data: bytes, own: frozenset[str]) -> dict[str, Any]:
        if data and (reason := files.read(self._rejection(_sha(data)), 4096)):
            raise Refusal(reason.decode())
        return variables.check(data, self.table, own)

    def _rejection(self, sha256: str) -> Path:
        """Forgotten with the image or the operator's settings: with others it may start."""
        return self.places.rendered / f"rejected-{rendering.fingerprint(self.places)[:12]}-{sha256[:12]}"

    def _good(self, known: dict[str, Any]) -> bool:
        """Whether what was in force at the last report can be so still."""
        version = Version(**known["in_force"])
        return not self._lost(known) and not self._rejection(version.sha256).exists()

    def _again(self, known: dict[str, Any], data: bytes) -> InForce:
        version = Version(**known["in_force"])
        content = data if version.sha256 == _sha(data) else self._content(version)
        values = variables.check(content, self.table, rendering.own(self.places))
        folder = rendering.ensure(self.places, content, values)
        refused = known.get("refused") or {}
        return InForce(version=version, folder=folder, refused=str(refused.get("reason", "")))

    def _lost(self, known: dict[str, Any]) -> bool:
        version = Version(**known["in_force"])
        return version != NONE and self._path(version) is None

    def _accept(self, data: bytes, known: dict[str, Any]) -> Version:
        """A file that is in force already keeps its number and its time."""
        now = Version(**known["in_force"]) if known else NONE
        if now.sha256 == _sha(data):
            return now
        last = max([now.number, *self.versions()])
        version = Version(number=last + 1, sha256=_sha(data), since=_now())
        files.write(self.history / f"{version.number:06d}-{version.sha256[:12]}.yml", data)
        for path, _ in self._versions()[KEPT:]:
            path.unlink(missing_ok=True)
        return version

    def _before(self, known: dict[str, Any]) -> list[tuple[bytes, Version]]:
        """What was in force, then what was before that: rules may have changed since it was accepted."""
        found = []
        if known and not self._lost(known):
            now = Version(**known["in_force"])
            found.append((self._content(now), now))
        for path, number in self._versions():
            data = path.read_bytes()
            since = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
            found.append((data, Version(number=number, sha256=_sha(data), since=since)))
        return found

    def _report(self, checked: str, by: str, version: Version, refused: Refusal | None) -> None:
        said = {
            "by": by,
            "checked": checked,
            "in_force": asdict(version),
            "refused": None
            if refused is None
            else {
                "at": _now(),
                "reason": str(refused),
                "line": refused.line,
                "column": refused.column,
                "key": refused.key,
            },
        }
        files.write(self.status, (json.dumps(said, indent=2) + "\n").encode())

    def _known(self) -> dict[str, Any]:
        """The last report; a broken one counts as none, since all of it can be found again."""
        try:
            said = json.loads(files.read(self.status, 65536) or b"{}")
            Version(**said["in_force"])
            return dict(said)
        except (ValueError, TypeError, KeyError):
            return {}

    def _content(self, version: Version) -> bytes:
        path = self._path(version)
        return b"" if path is None else path.read_bytes()

    def _path(self, version: Version) -> Path | None:
        path = self.history / f"{version.number:06d}-{version.sha256[:12]}.yml"
        return path if path.is_file() else None

    def _versions(self) -> list[tuple[Path, int]]:
        found = [(path, _VERSION.fullmatch(path.name)) for path in self.history.glob("*.yml")]
        return sorted(((path, int(name[1])) for path, name in found if name), key=lambda each: -each[1])

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One at a time saves Ansible's work; what is written is whole and the same in any order."""
        with (self.places.rendered / ".lock").open("a") as file:
            end = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise TimeoutError(
                            f"waited {LOCK_SECONDS:.0f} s for another container to render the settings"
                        ) from None
                    time.sleep(0.05)
            yield


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
