"""Which version of the overrides is in force: judged, kept, reported beside the file."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from configurator import files, plain_yaml, rendering, start_failures, variables
from configurator.ansible import AnsibleError
from configurator.paths import Places
from configurator.records import NONE, Records, State, Version, sha
from configurator.refusal import Refusal

LOCK_SECONDS = 150.0

__all__ = ["NONE", "ActiveOverrides", "Keeper", "Version"]


@dataclass(frozen=True, kw_only=True)
class ActiveOverrides:
    """What a service is to run with: the version, and the folder of its settings files."""

    version: Version
    folder: Path
    refused: str
    again: float | None = None
    """Seconds until a file that could not be tried (Ansible had no memory, time or drive) is worth another try."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What stands in the overrides' place: `data` is None for what cannot be read, and `reason` says why.

    `mark` tells one file from the next, the same text written anew included.
    """

    data: bytes | None
    mark: str
    reason: str = ""


class Keeper:
    """Every container of a portal has one; whoever sees a change first judges it, the others take the verdict."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.table = variables.Table.load(places.home / "variables.yml")
        self.records = Records(places)

    def given(self) -> Given:
        """The overrides as they are now. Never waits and never raises: whatever stands there is no crash."""
        try:
            found = files.read_regular(self.places.file, plain_yaml.LARGEST_BYTES)
        except OSError as error:
            reason = str(error.strerror or error)
            reason = reason if reason.startswith("is ") else f"cannot be read: {reason}"
            return Given(data=None, mark=f"unreadable: {reason}", reason=reason)
        if found is None:
            return Given(data=b"", mark="none")
        return Given(data=found[0], mark=f"{sha(found[0])} {found[1]}")

    def seen(self) -> str:
        """Changes when the file does, and when another container has found that what is in force does not start."""
        known = self.records.state()
        return f"{self.given().mark} {known.accepted.number if known else ''}"

    def at_start(self) -> ActiveOverrides:
        """As `settle`; where that is not possible just now, what was in force last. Raises as `settle` does."""
        try:
            return self.settle()
        except (OSError, AnsibleError) as error:
            last = self._last(self.records.state(), str(error))
            if last is None:
                raise
            return last

    def settle(self) -> ActiveOverrides:
        """Judge the file as it is now, and have the settings of what is in force rendered.

        Raises OSError where the drive does not let us, AnsibleError where Ansible fails for all that could be in
        force.
        """
        with self._locked():
            self.records.prepare()
            given = self.given()
            by = rendering.fingerprint(self.places)
            known = self.records.state()
            if known and known.by == by and known.checked == given.mark and self._good(known):
                again = self._again(known, (known.refused or {}).get("reason", ""))
                if again is not None:
                    return again
            return self._judge(given, by, known)

    def reject(self, version: Version, reason: str) -> None:
        """The software does not start with a version: as if its file had been refused."""
        known = self.records.state()
        by = rendering.fingerprint(self.places)
        self.records.reject(by, version.sha256, known.checked if known else "", reason)

    def failures(self, service: str, version: Version) -> int:
        """As Records.failures, by the rules of now."""
        return self.records.failures(rendering.fingerprint(self.places), service, version.sha256)

    def proved(self, service: str, instead_of: Version) -> ActiveOverrides | None:
        """What a service last was ready with, if that is another version and can be had still."""
        version = self.records.live(service)
        if version is None or version.sha256 == instead_of.sha256:
            return None
        by = rendering.fingerprint(self.places)
        try:
            data = self.records.content(version)
            if data is None or self.records.rejected(by, version.sha256, None):
                return None
            with self._locked():
                folder = rendering.ensure(self.places, variables.check(data, self.table))
        except (Refusal, AnsibleError, OSError):
            return None
        return ActiveOverrides(version=version, folder=folder, refused="")

    def without_overrides(self) -> Path:
        """The folder of a job's settings: nothing that a portal's admin writes reaches a job, or could stop it.

        Raises OSError and AnsibleError.
        """
        with self._locked():
            return rendering.ensure(self.places, {})

    def show(self) -> None:
        """Publish the last judgement anew, after a service has got ready. Raises OSError."""
        with self._locked():
            if known := self.records.state():
                self.records.show(known)

    def restore(self, number: int) -> None:
        """Make an accepted version the file again. Raises Refusal if it is not among the kept."""
        for path, found in self.records.versions():
            if found == number:
                files.publish(self.places.overrides, (self.places.file.name,), path.read_bytes())
                return
        kept = ", ".join(str(found) for _, found in self.records.versions()) or "none"
        raise Refusal(f"version {number} is not kept; kept are: {kept}")

    def versions(self) -> list[int]:
        """The numbers of the kept versions, newest first."""
        return [number for _, number in self.records.versions()]

    def _judge(self, given: Given, by: str, known: State | None) -> ActiveOverrides:
        refused = None if given.data is not None else Refusal(given.reason)
        waiting: dict[str, Any] | None = None
        own = [] if given.data is None else [(given.data, None)]
        for candidate, version in [*own, *self._before(known), (b"", NONE)]:
            try:
                folder = rendering.ensure(self.places, self._checked(candidate, version, given, by))
            except Refusal as error:
                refused = refused or error
                continue
            except AnsibleError as error:
                # What is in force is not left for an older one because Ansible had no memory or time.
                if version is not None:
                    raise
                refused, waiting = refused or Refusal(str(error)), self._waiting(known, given, by, str(error))
                continue
            version = version or self._accept(candidate, known, by)
            state = State(
                by=by, checked=given.mark, accepted=version, refused=_told(refused), waiting=waiting
            )
            self.records.judged(state)
            return ActiveOverrides(
                version=version, folder=folder, refused=str(refused or ""), again=self._left(waiting)
            )
        raise AnsibleError(f"without any overrides: {refused}")

    def _checked(self, data: bytes, version: Version | None, given: Given, by: str) -> dict[str, Any]:
        if data and (reason := self.records.rejected(by, sha(data), given.mark if version is None else None)):
            raise Refusal(reason)
        return variables.check(data, self.table)

    def _waiting(self, known: State | None, given: Given, by: str, reason: str) -> dict[str, Any]:
        # Of the content: the same text written anew is one try more, not as many as there were.
        same = known and known.by == by and known.checked.partition(" ")[0] == given.mark.partition(" ")[0]
        before = known.waiting if known and same else None
        tries = 1 + (before["tries"] if before else 0)
        seconds = start_failures.delay(tries)
        # Of the wall's clock, since containers of several hosts share it.
        return {
            "tries": tries,
            "next": None if seconds is None else round(time.time() + seconds),
            "reason": reason,
        }

    def _left(self, waiting: dict[str, Any] | None) -> float | None:
        """Seconds until the next try; a clock that was set must not put it off for ever."""
        if not waiting or waiting["next"] is None:
            return None
        return float(min(max(0.0, waiting["next"] - time.time()), start_failures.LONGEST_SECONDS))

    def _good(self, known: State) -> bool:
        """Whether the last report can be so still, and nothing waits that could be tried now."""
        rejected = self.records.rejected(known.by, known.accepted.sha256, None)
        return not rejected and self._left(known.waiting) != 0.0

    def _again(self, known: State, refused: str) -> ActiveOverrides | None:
        """What is in force by the last report; None where its version is no longer kept, or no longer good."""
        content = self.records.content(known.accepted)
        if content is None:
            return None
        try:
            folder = rendering.ensure(self.places, variables.check(content, self.table))
        except Refusal:
            return None
        return ActiveOverrides(
            version=known.accepted, folder=folder, refused=refused, again=self._left(known.waiting)
        )

    def _last(self, known: State | None, trouble: str) -> ActiveOverrides | None:
        try:
            found = self._again(known, "") if known else None
        except (OSError, AnsibleError):
            return None
        return found and ActiveOverrides(
            version=found.version, folder=found.folder, refused=trouble, again=start_failures.FIRST_SECONDS
        )

    def _accept(self, data: bytes, known: State | None, by: str) -> Version:
        """A file that is in force already keeps its number and its time."""
        self.records.forgive(by, sha(data))
        now = known.accepted if known else NONE
        if now.sha256 == sha(data):
            return now
        last = max([now.number, *self.versions()])
        version = Version(number=last + 1, sha256=sha(data), since=_now())
        self.records.keep(version, data)
        return version

    def _before(self, known: State | None) -> list[tuple[bytes, Version]]:
        """What was in force, then what was before that: rules may have changed since it was accepted."""
        found = []
        if known and (data := self.records.content(known.accepted)) is not None:
            found.append((data, known.accepted))
        return [*found, *self.records.kept()]

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


def _told(refused: Refusal | None) -> dict[str, Any] | None:
    if refused is None:
        return None
    place = {"line": refused.line, "column": refused.column, "key": refused.key}
    return {"at": _now(), "reason": str(refused), **place}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
