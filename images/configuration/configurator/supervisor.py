"""Process 1 of a service: keeps the software running with the configuration in force.

After a change it starts a new generation of the software beside the running one. When the new generation accepts work,
the old one gets SIGTERM and finishes its work. Both accept from one socket that stays open, so no connection is refused.
(A reload by SIGHUP would make gunicorn load the application in every worker, and end the old workers first.)
"""

import json
import os
import select
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from configurator import files, rendering, start_failures
from configurator.generation import Generation
from configurator.log import say
from configurator.overrides import ActiveOverrides, Overrides
from configurator.records import Version
from configurator.start_failures import Cause

# lms and cms start at once when they see a change. Workers start when they see it the second time: by then lms or cms
# has checked and rendered it, and has had the processor.
POLL_SECONDS = 1.0
WORKERS_POLL_SECONDS = 4.0
# Of one that hangs. A real Open edX starts in 15 s alone; where five started at once beside ten pages a second, on two cores
# that did other work, 180 s were not enough, and a start that is killed has to be done again.
READY_SECONDS = 600.0
RETRY_SECONDS = 60.0
# Workers that finish long tasks. Further changes wait; only the last of them is used.
MOST_GENERATIONS = 3
BACKLOG = 512
NEVER = float("inf")
Replaced = dict[Path, bytes | None]


class Supervisor:
    """Runs one service; `words` is the software's command, `port` is 0 if it does not listen."""

    def __init__(self, name: str, words: Sequence[str], port: int, overrides: Overrides) -> None:
        self.name, self.words, self.overrides = name, words, overrides
        self.env: Mapping[str, str] = dict(os.environ)
        self.socket = listening_socket(port) if port else None
        self.thread = ThreadPoolExecutor(1)
        self.updating: Future[tuple[ActiveOverrides, Replaced]] | None = None
        self.live_version = -1
        self.generations: list[Generation] = []
        self.last_mark = ""
        self.retry = NEVER
        # How often in a row the software did not start with a content, and the hash of that content.
        self.tries, self.failed_sha256 = 0, ""
        self.looks_to_wait = 0 if port else 1
        self.looks_since_change = 0
        self.poll = POLL_SECONDS if port else WORKERS_POLL_SECONDS
        self.stopping = False
        self.number = 0
        self.wake, wake = socket.socketpair()
        for each in (self.wake, wake):
            each.setblocking(False)
        self._wake = wake

    def run(self) -> int:
        """Run until SIGTERM, or until the software ends by itself; returns the exit code."""
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, self._on_signal)
        self._start_first()
        while True:
            code = self._step()
            if code is not None:
                return code
            busy = self.updating is not None or len(self.generations) > 1
            select.select([self.wake], [], [], 0.1 if busy else self.poll)
            self._empty_wake_socket()

    def _on_signal(self, number: int, frame: object) -> None:
        if number != signal.SIGCHLD:
            self.stopping = True

    def _empty_wake_socket(self) -> None:
        try:
            self.wake.recv(4096)
        except BlockingIOError:
            return

    def _start_first(self) -> None:
        """Start with the version that this service is known to start with; a newer one is then tried beside it."""
        self.last_mark = self.overrides.change_mark()
        active = self.overrides.update_at_start()
        if last_ready := self.overrides.last_ready(self.name, active.version):
            say(f"overrides version {active.version.number} waits: {self.name} has not started with it yet")
            active, self.last_mark = last_ready, ""
        else:
            self.last_mark = self.overrides.change_mark()
        self._start(active, rendering.install_settings(self.overrides.paths, active.folder))

    def _step(self) -> int | None:
        """One round of the loop; the exit code when everything has ended."""
        if self.stopping:
            return self._stop_all()
        serving = self.generations[0]
        if len(self.generations) == 1 and (code := serving.exit_code()) is not None:
            return self._only_generation_ended(serving, code)
        self._hand_over()
        if self.updating is not None and self.updating.done():
            self._finish_update()
        elif self.updating is None and self._settings_are_free():
            self._look_for_change()
        return None

    def _settings_are_free(self) -> bool:
        """Whether the settings files may be written: no generation that is starting still reads them."""
        newest = self.generations[-1]
        return newest.ready() or time.monotonic() > newest.began + READY_SECONDS

    def _only_generation_ended(self, serving: Generation, code: int) -> int | None:
        """End the container with its only generation, unless that was never ready and an older version can be started."""
        say(f"{self.name} ended by itself with code {code}")
        version, cause = serving.version, start_failures.cause_of(code)
        if serving.ready() or not version.number or self.socket is None or cause is Cause.TEMPORARY:
            return code
        try:
            if not start_failures.is_final(cause, self.overrides.count_failure(self.name, version)):
                return code
            self.overrides.reject(version, self._reason(f"ended with code {code}"))
            self.generations.remove(serving)
            serving.close()
            self._start_first()
        except (OSError, rendering.AnsibleError) as error:
            say(f"no older version can be started: {error}")
            return code
        return None

    def _stop_all(self) -> int | None:
        for each in self.generations:
            each.terminate()
        codes = [each.exit_code() for each in self.generations]
        # A new generation that had no SIGTERM handler yet is no failure of the service.
        return None if None in codes else int(codes[0] or 0)

    def _look_for_change(self) -> None:
        """Poll the file: inotify does not report what another host writes over NFS."""
        mark = self.overrides.change_mark()
        changed = mark != self.last_mark or time.monotonic() > self.retry
        self.looks_since_change = self.looks_since_change + 1 if changed else 0
        if self.looks_since_change > self.looks_to_wait and len(self.generations) < MOST_GENERATIONS:
            self.last_mark, self.looks_since_change, self.retry = mark, 0, NEVER
            self.updating = self.thread.submit(self._update)

    def _update(self) -> tuple[ActiveOverrides, Replaced]:
        self.last_mark = self.overrides.change_mark()
        active = self.overrides.update()
        self.last_mark = self.overrides.change_mark()
        return active, rendering.install_settings(self.overrides.paths, active.folder)

    def _finish_update(self) -> None:
        assert self.updating is not None
        update, self.updating = self.updating, None
        try:
            active, replaced = update.result()
        except Exception as error:  # noqa: BLE001 (whatever happens, the running generation goes on)
            say(f"the overrides wait: {type(error).__name__}: {error}")
            self._report(f"the overrides could not be checked: {error}; tried again in {RETRY_SECONDS:.0f} s")
            self.retry = time.monotonic() + RETRY_SECONDS
            return
        if replaced:
            try:
                self._start(active, replaced)
            except OSError as error:
                # No memory or no process for it.
                self._restore_settings(replaced)
                self._start_failed(active.version, f"could not be started: {error.strerror}", Cause.TEMPORARY)
        else:
            # Another text with the same settings: the newest generation runs with this version, too.
            self.generations[-1].version = active.version
            self._report_active(active)

    def _report_active(self, active: ActiveOverrides) -> None:
        self.retry = (
            NEVER if active.retry_seconds is None else time.monotonic() + max(1.0, active.retry_seconds)
        )
        if active.refused:
            say(f"overrides refused: {active.refused}")
        say(f"overrides version {active.version.number} accepted")

    def _start(self, active: ActiveOverrides, replaced: Replaced) -> None:
        self._report_active(active)
        listen = self.socket.fileno() if self.socket else None
        self.number += 1
        env = {**self.env, "OPENEDX_GENERATION": str(self.number)}
        self.generations.append(Generation(self.words, env, listen, active.version, replaced))

    def _hand_over(self) -> None:
        """When the newest generation is ready, terminate all before it."""
        newest = self.generations[-1]
        if newest.ready():
            for each in self.generations[:-1]:
                each.terminate()
            if self.live_version != newest.version.number:
                self._record_ready(newest)
        elif len(self.generations) > 1:
            self._check_start(newest)
        for each in [each for each in self.generations[:-1] if each.exit_code() is not None]:
            self.generations.remove(each)
            each.close()

    def _record_ready(self, newest: Generation) -> None:
        self.live_version = newest.version.number
        self.tries = 0
        try:
            self.overrides.records.save_ready_version(self.name, newest.version)
        except OSError as error:
            say(f"cannot record that version {self.live_version} is live: {error}")
        self._report("")
        # It takes a lock that another container may hold for long, so not in this thread.
        self.thread.submit(self._publish_state)

    def _publish_state(self) -> None:
        try:
            self.overrides.publish_state()
        except OSError as error:
            say(f"status.json cannot be written: {error}")

    def _check_start(self, newest: Generation) -> None:
        """Kill a generation that is not ready in time, and put the earlier settings back."""
        code = newest.exit_code()
        if code is None and time.monotonic() < newest.began + READY_SECONDS:
            return
        newest.kill()
        newest.process.wait()
        newest.close()
        self.generations.pop()
        self._restore_settings(newest.replaced)
        why = f"was not ready within {READY_SECONDS:.0f} s" if code is None else f"ended with code {code}"
        self._start_failed(newest.version, why, start_failures.cause_of(code))

    def _restore_settings(self, replaced: Mapping[Path, bytes | None]) -> None:
        """Put the settings back with which the running generation was started."""
        for path, before in replaced.items():
            if before is not None:
                files.write(path, before)

    def _start_failed(self, version: Version, why: str, cause: Cause) -> None:
        """Refuse the version if the software reports wrong settings or failed too often; else plan the next try."""
        self.tries = self.tries + 1 if self.failed_sha256 == version.sha256 else 1
        self.failed_sha256 = version.sha256
        say(f"{self.name} with overrides version {version.number} {why}; the generation before it goes on")
        # A worker may end because its broker is away; lms and cms start without any store.
        final = self.socket is not None and version.number and start_failures.is_final(cause, self.tries)
        if final and self._save_rejection(version, why):
            self.last_mark, self.retry = "", NEVER
            self._report(f"version {version.number} was refused: {self.name} {why}")
            return
        seconds = start_failures.retry_delay(self.tries)
        self.retry = NEVER if seconds is None else time.monotonic() + seconds
        after = (
            "not tried again until the overrides are written again or the container is restarted"
            if seconds is None
            else f"tried again in {seconds:.0f} s"
        )
        self._report(f"version {version.number} is not running: {self.name} {why}, try {self.tries}; {after}")

    def _save_rejection(self, version: Version, why: str) -> bool:
        """Whether the refusal could be written; if not (a full drive), the version is tried again."""
        try:
            self.overrides.reject(version, self._reason(why))
        except OSError as error:
            say(f"the refusal cannot be written: {error}")
            return False
        return True

    def _reason(self, why: str) -> str:
        return f"{self.name} does not start with it ({why})"

    def _report(self, trouble: str) -> None:
        """Write services/<name>.json: what this container runs with, for people who wait for a change."""
        facts = {
            "service": self.name,
            "version": self.live_version,
            "since": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "trouble": trouble,
        }
        data = (json.dumps(facts) + "\n").encode()
        self.overrides.records.publish_copy(("services", f"{self.name}.json"), data)


def listening_socket(port: int) -> socket.socket:
    """The listening socket, which stays open from one generation to the next."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("0.0.0.0", port))  # noqa: S104 (the container's own network alone)
    listening.listen(BACKLOG)
    return listening
