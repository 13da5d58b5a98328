"""Which version of the overrides is in force: checks the file, keeps versions, reports beside the file."""

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
from configurator.paths import Paths
from configurator.records import NONE, Records, State, Version, sha256_of
from configurator.refusal import Refusal

LOCK_SECONDS = 150.0

__all__ = ["NONE", "ActiveOverrides", "Overrides", "Version"]


@dataclass(frozen=True, kw_only=True)
class ActiveOverrides:
    """What a service has to run with: the version, and the folder of its settings files."""

    version: Version
    folder: Path
    refused: str
    retry_seconds: float | None = None
    """Seconds until the next try of a file that Ansible could not render (no memory, time or drive)."""


@dataclass(frozen=True, kw_only=True)
class CurrentFile:
    """The overrides file as it is now: `data` is None if it cannot be read, and `reason` says why.

    `mark` changes with each write, also if the same text is written again.
    """

    data: bytes | None
    mark: str
    reason: str = ""


class Overrides:
    """The overrides of a portal, in each of its containers.

    The first container that sees a change checks and renders it; the others use the result.
    """

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.table = variables.Table.load(paths.home / "variables.yml")
        self.records = Records(paths)

    def current_file(self) -> CurrentFile:
        """The overrides file as it is now. Never waits and never raises, whatever is in its place."""
        try:
            content = files.read_regular(self.paths.overrides_file, plain_yaml.LARGEST_BYTES)
        except OSError as error:
            reason = str(error.strerror or error)
            reason = reason if reason.startswith("is ") else f"cannot be read: {reason}"
            return CurrentFile(data=None, mark=f"unreadable: {reason}", reason=reason)
        if content is None:
            return CurrentFile(data=b"", mark="none")
        return CurrentFile(data=content[0], mark=f"{sha256_of(content[0])} {content[1]}")

    def change_mark(self) -> str:
        """A text that changes with the file, and when another container could not start with the version in force."""
        known = self.records.read_state()
        return f"{self.current_file().mark} {known.accepted.number if known else ''}"

    def update_at_start(self) -> ActiveOverrides:
        """As `update`; if that fails for now, what was in force last. Raises as `update` does."""
        try:
            return self.update()
        except (OSError, AnsibleError) as error:
            last = self._last_active(self.records.read_state(), str(error))
            if last is None:
                raise
            return last

    def update(self) -> ActiveOverrides:
        """Check the file as it is now, and render the settings of the version in force.

        Raises OSError if the drive fails, AnsibleError if Ansible fails for each version that could be in force.
        """
        with self._locked():
            self.records.make_folders()
            current = self.current_file()
            by = rendering.fingerprint(self.paths)
            known = self.records.read_state()
            if known and known.by == by and known.checked == current.mark and self._is_still_valid(known):
                active = self._active_of(known, (known.refused or {}).get("reason", ""))
                if active is not None:
                    return active
            return self._check(current, by, known)

    def reject(self, version: Version, reason: str) -> None:
        """Refuse a version with which the software does not start, as if its file were invalid."""
        known = self.records.read_state()
        by = rendering.fingerprint(self.paths)
        self.records.save_rejection(by, version.sha256, known.checked if known else "", reason)

    def count_failure(self, service: str, version: Version) -> int:
        """As Records.count_failure, with the current rules."""
        return self.records.count_failure(rendering.fingerprint(self.paths), service, version.sha256)

    def last_ready(self, service: str, instead_of: Version) -> ActiveOverrides | None:
        """What a service was last ready with, if that is another version and can still be rendered."""
        version = self.records.last_ready_version(service)
        if version is None or version.sha256 == instead_of.sha256:
            return None
        by = rendering.fingerprint(self.paths)
        try:
            data = self.records.version_content(version)
            if data is None or self.records.rejection_reason(by, version.sha256, None):
                return None
            with self._locked():
                folder = rendering.ensure_rendered(self.paths, variables.check(data, self.table))
        except (Refusal, AnsibleError, OSError):
            return None
        return ActiveOverrides(version=version, folder=folder, refused="")

    def render_without_overrides(self) -> Path:
        """The folder of a job's settings, without overrides: nothing that a portal's admin writes can stop a job.

        Raises OSError and AnsibleError.
        """
        with self._locked():
            return rendering.ensure_rendered(self.paths, {})

    def publish_state(self) -> None:
        """Write the last check's result beside the overrides again, after a service became ready. Raises OSError."""
        with self._locked():
            if known := self.records.read_state():
                self.records.publish_state(known)

    def restore(self, number: int) -> None:
        """Make an accepted version the current file again. Raises Refusal if it is not kept."""
        for path, kept_number in self.records.version_files():
            if kept_number == number:
                files.write_below(self.paths.overrides, (self.paths.overrides_file.name,), path.read_bytes())
                return
        kept = ", ".join(str(kept_number) for _, kept_number in self.records.version_files()) or "none"
        raise Refusal(f"version {number} is not kept; kept are: {kept}")

    def versions(self) -> list[int]:
        """The numbers of the kept versions, newest first."""
        return [number for _, number in self.records.version_files()]

    def _check(self, current: CurrentFile, by: str, known: State | None) -> ActiveOverrides:
        refused = None if current.data is not None else Refusal(current.reason)
        waiting: dict[str, Any] | None = None
        own = [] if current.data is None else [(current.data, None)]
        for candidate, version in [*own, *self._earlier_versions(known), (b"", NONE)]:
            try:
                folder = rendering.ensure_rendered(
                    self.paths, self._valid_overrides(candidate, version, current, by)
                )
            except Refusal as error:
                refused = refused or error
                continue
            except AnsibleError as error:
                # The version in force is not replaced by an older one because Ansible had no memory or time.
                if version is not None:
                    raise
                refused, waiting = (
                    refused or Refusal(str(error)),
                    self._next_try(known, current, by, str(error)),
                )
                continue
            version = version or self._accept(candidate, known, by)
            state = State(
                by=by,
                checked=current.mark,
                accepted=version,
                refused=_refusal_facts(refused),
                waiting=waiting,
            )
            self.records.save_state(state)
            return ActiveOverrides(
                version=version,
                folder=folder,
                refused=str(refused or ""),
                retry_seconds=self._seconds_left(waiting),
            )
        raise AnsibleError(f"without any overrides: {refused}")

    def _valid_overrides(
        self, data: bytes, version: Version | None, current: CurrentFile, by: str
    ) -> dict[str, Any]:
        if data and (
            reason := self.records.rejection_reason(
                by, sha256_of(data), current.mark if version is None else None
            )
        ):
            raise Refusal(reason)
        return variables.check(data, self.table)

    def _next_try(self, known: State | None, current: CurrentFile, by: str, reason: str) -> dict[str, Any]:
        # By content: the same text written again is one more try, and does not reset the count.
        same = known and known.by == by and known.checked.partition(" ")[0] == current.mark.partition(" ")[0]
        before = known.waiting if known and same else None
        tries = 1 + (before["tries"] if before else 0)
        seconds = start_failures.retry_delay(tries)
        # Wall-clock time, because containers on several hosts read it.
        return {
            "tries": tries,
            "next": None if seconds is None else round(time.time() + seconds),
            "reason": reason,
        }

    def _seconds_left(self, waiting: dict[str, Any] | None) -> float | None:
        """Seconds until the next try, limited in case the clock was changed."""
        if not waiting or waiting["next"] is None:
            return None
        return float(min(max(0.0, waiting["next"] - time.time()), start_failures.LONGEST_SECONDS))

    def _is_still_valid(self, known: State) -> bool:
        """Whether the last check's result still holds, and no retry is due."""
        rejected = self.records.rejection_reason(known.by, known.accepted.sha256, None)
        return not rejected and self._seconds_left(known.waiting) != 0.0

    def _active_of(self, known: State, refused: str) -> ActiveOverrides | None:
        """What is in force by the last check; None if its version is no longer kept or no longer valid."""
        content = self.records.version_content(known.accepted)
        if content is None:
            return None
        try:
            folder = rendering.ensure_rendered(self.paths, variables.check(content, self.table))
        except Refusal:
            return None
        return ActiveOverrides(
            version=known.accepted,
            folder=folder,
            refused=refused,
            retry_seconds=self._seconds_left(known.waiting),
        )

    def _last_active(self, known: State | None, trouble: str) -> ActiveOverrides | None:
        try:
            active = self._active_of(known, "") if known else None
        except (OSError, AnsibleError):
            return None
        return active and ActiveOverrides(
            version=active.version,
            folder=active.folder,
            refused=trouble,
            retry_seconds=start_failures.FIRST_SECONDS,
        )

    def _accept(self, data: bytes, known: State | None, by: str) -> Version:
        """The version of an accepted file; a file that is in force already keeps its number and time."""
        self.records.delete_rejection(by, sha256_of(data))
        now = known.accepted if known else NONE
        if now.sha256 == sha256_of(data):
            return now
        last = max([now.number, *self.versions()])
        version = Version(number=last + 1, sha256=sha256_of(data), since=_now())
        self.records.save_version(version, data)
        return version

    def _earlier_versions(self, known: State | None) -> list[tuple[bytes, Version]]:
        """The version in force, then the versions before it: the rules may have changed since they were accepted."""
        versions = []
        if known and (data := self.records.version_content(known.accepted)) is not None:
            versions.append((data, known.accepted))
        return [*versions, *self.records.versions_with_content()]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One container at a time: this only saves work, because files are written atomically and do not depend on the order."""
        with (self.paths.rendered / ".lock").open("a") as file:
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


def _refusal_facts(refused: Refusal | None) -> dict[str, Any] | None:
    if refused is None:
        return None
    position = {"line": refused.line, "column": refused.column, "key": refused.key}
    return {"at": _now(), "reason": str(refused), **position}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
