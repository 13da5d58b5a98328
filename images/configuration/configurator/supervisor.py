"""Process 1 of a service: keeps the software running with the configuration that is in force.

A change starts the software anew beside the running one. Only when the new one accepts work is the old one asked to
finish and go; both accept from one socket that stays open, so that no request meets a closed door. (A reload by
SIGHUP would make gunicorn load the application in every worker, and end the old ones first.)
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
from configurator.overrides import ActiveOverrides, Keeper
from configurator.records import Version
from configurator.start_failures import Verdict

# Pages first: what is seen is taken up at once. Workers take what they see at a second look, by when a page's
# container has judged and rendered it, and has had the processor.
POLL_SECONDS = 1.0
WORKERS_POLL_SECONDS = 4.0
# A real Open edX starts in 15 s alone, and in a minute where four start at once on two cores.
READY_SECONDS = 180.0
RETRY_SECONDS = 60.0
# Workers that finish long tasks. More changes wait, the last of them is taken.
MOST_GENERATIONS = 3
BACKLOG = 512
NEVER = float("inf")
Replaced = dict[Path, bytes | None]


class Supervisor:
    """`words` is the software's command; `port` is 0 for what listens nowhere."""

    def __init__(self, name: str, words: Sequence[str], port: int, keeper: Keeper) -> None:
        self.name, self.words, self.keeper = name, words, keeper
        self.env: Mapping[str, str] = dict(os.environ)
        self.socket = listening(port) if port else None
        self.thread = ThreadPoolExecutor(1)
        self.settling: Future[tuple[ActiveOverrides, Replaced]] | None = None
        self.live = -1
        self.generations: list[Generation] = []
        self.seen = ""
        self.retry = NEVER
        # How often in a row the software did not start with a content, and the hash of that.
        self.tries, self.tried = 0, ""
        self.patience = 0 if port else 1
        self.looks = 0
        self.poll = POLL_SECONDS if port else WORKERS_POLL_SECONDS
        self.stopping = False
        self.number = 0
        self.wake, wake = socket.socketpair()
        for each in (self.wake, wake):
            each.setblocking(False)
        self._wake = wake

    def run(self) -> int:
        """Until SIGTERM, or until the software ends by itself; the exit code."""
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, self._heard)
        self._first()
        while True:
            code = self._look()
            if code is not None:
                return code
            busy = self.settling is not None or len(self.generations) > 1
            select.select([self.wake], [], [], 0.1 if busy else self.poll)
            self._drain()

    def _heard(self, number: int, frame: object) -> None:
        if number != signal.SIGCHLD:
            self.stopping = True

    def _drain(self) -> None:
        try:
            self.wake.recv(4096)
        except BlockingIOError:
            return

    def _first(self) -> None:
        """Start with what this service is known to start with; what came since is then tried beside it."""
        self.seen = self.keeper.seen()
        found = self.keeper.at_start()
        if proved := self.keeper.proved(self.name, found.version):
            say(f"overrides version {found.version.number} waits: {self.name} has not started with it yet")
            found, self.seen = proved, ""
        else:
            self.seen = self.keeper.seen()
        self._start(found, rendering.take(self.keeper.places, found.folder))

    def _look(self) -> int | None:
        """One round; the exit code once all is over."""
        if self.stopping:
            return self._stopped()
        serving = self.generations[0]
        if len(self.generations) == 1 and (code := serving.ended()) is not None:
            return self._over(serving, code)
        self._hand_over()
        if self.settling is not None and self.settling.done():
            self._settled()
        elif self.settling is None and self._settings_are_read():
            self._watch()
        return None

    def _settings_are_read(self) -> bool:
        """A change writes the settings files anew: not under the hands of a generation that still reads them."""
        newest = self.generations[-1]
        return newest.ready() or time.monotonic() > newest.began + READY_SECONDS

    def _over(self, serving: Generation, code: int) -> int | None:
        """The only generation has ended: so does the container, unless it never began and there is something older."""
        say(f"{self.name} ended by itself with code {code}")
        version, judged = serving.version, start_failures.of(code)
        if serving.ready() or not version.number or self.socket is None or judged is Verdict.UNTRIED:
            return code
        try:
            if not start_failures.final(judged, self.keeper.failures(self.name, version)):
                return code
            self.keeper.reject(version, self._reason(f"ended with code {code}"))
            self.generations.remove(serving)
            serving.close()
            self._first()
        except (OSError, rendering.AnsibleError) as error:
            say(f"nothing older can be started: {error}")
            return code
        return None

    def _stopped(self) -> int | None:
        for each in self.generations:
            each.end()
        codes = [each.ended() for each in self.generations]
        # A new one that had not got to its handler of SIGTERM is no failure of the service.
        return None if None in codes else int(codes[0] or 0)

    def _watch(self) -> None:
        """Polled: inotify does not hear of what another host writes over NFS."""
        seen = self.keeper.seen()
        changed = seen != self.seen or time.monotonic() > self.retry
        self.looks = self.looks + 1 if changed else 0
        if self.looks > self.patience and len(self.generations) < MOST_GENERATIONS:
            self.seen, self.looks, self.retry = seen, 0, NEVER
            self.settling = self.thread.submit(self._settle)

    def _settle(self) -> tuple[ActiveOverrides, Replaced]:
        self.seen = self.keeper.seen()
        found = self.keeper.settle()
        self.seen = self.keeper.seen()
        return found, rendering.take(self.keeper.places, found.folder)

    def _settled(self) -> None:
        assert self.settling is not None
        settling, self.settling = self.settling, None
        try:
            found, replaced = settling.result()
        except Exception as error:  # noqa: BLE001 (whatever it is, what serves goes on serving)
            say(f"the overrides wait: {type(error).__name__}: {error}")
            self._report(f"the overrides could not be judged: {error}; tried again in {RETRY_SECONDS:.0f} s")
            self.retry = time.monotonic() + RETRY_SECONDS
            return
        if replaced:
            try:
                self._start(found, replaced)
            except OSError as error:
                # No memory or no process for it.
                self._restore(replaced)
                self._failed(found.version, f"could not be started: {error.strerror}", Verdict.UNTRIED)
        else:
            # Other words for the same settings: what runs, or is about to, runs with this version.
            self.generations[-1].version = found.version
            self._say(found)

    def _say(self, found: ActiveOverrides) -> None:
        self.retry = NEVER if found.again is None else time.monotonic() + max(1.0, found.again)
        if found.refused:
            say(f"overrides refused: {found.refused}")
        say(f"overrides version {found.version.number} accepted")

    def _start(self, found: ActiveOverrides, replaced: Replaced) -> None:
        self._say(found)
        listen = self.socket.fileno() if self.socket else None
        self.number += 1
        env = {**self.env, "OPENEDX_GENERATION": str(self.number)}
        self.generations.append(Generation(self.words, env, listen, found.version, replaced))

    def _hand_over(self) -> None:
        """The newest that is ready serves; all before it finish and go."""
        newest = self.generations[-1]
        if newest.ready():
            for each in self.generations[:-1]:
                each.end()
            if self.live != newest.version.number:
                self._lives(newest)
        elif len(self.generations) > 1:
            self._judge(newest)
        for each in [each for each in self.generations[:-1] if each.ended() is not None]:
            self.generations.remove(each)
            each.close()

    def _lives(self, newest: Generation) -> None:
        self.live = newest.version.number
        self.tries = 0
        try:
            self.keeper.records.lives(self.name, newest.version)
        except OSError as error:
            say(f"cannot keep that version {self.live} is live: {error}")
        self._report("")
        # Under a lock that another container may have for long: not in this thread, which serves.
        self.thread.submit(self._show)

    def _show(self) -> None:
        try:
            self.keeper.show()
        except OSError as error:
            say(f"what is in force cannot be shown: {error}")

    def _judge(self, newest: Generation) -> None:
        """One that does not get ready goes, and its settings with it."""
        code = newest.ended()
        if code is None and time.monotonic() < newest.began + READY_SECONDS:
            return
        newest.kill()
        newest.process.wait()
        newest.close()
        self.generations.pop()
        self._restore(newest.replaced)
        why = f"was not ready within {READY_SECONDS:.0f} s" if code is None else f"ended with code {code}"
        self._failed(newest.version, why, start_failures.of(code))

    def _restore(self, replaced: Mapping[Path, bytes | None]) -> None:
        """The settings of what goes on running."""
        for path, before in replaced.items():
            if before is not None:
                files.write(path, before)

    def _failed(self, version: Version, why: str, judged: Verdict) -> None:
        """Refused where the software says that its settings are wrong, or ended too often; else tried again."""
        self.tries = self.tries + 1 if self.tried == version.sha256 else 1
        self.tried = version.sha256
        say(f"{self.name} with overrides version {version.number} {why}; the one before goes on")
        # A worker may end for want of its broker; what serves pages starts without any store.
        final = self.socket is not None and version.number and start_failures.final(judged, self.tries)
        if final and self._rejected(version, why):
            self.seen, self.retry = "", NEVER
            self._report(f"version {version.number} was refused: {self.name} {why}")
            return
        seconds = start_failures.delay(self.tries)
        self.retry = NEVER if seconds is None else time.monotonic() + seconds
        after = (
            "not tried again until the overrides are written anew or the container is started anew"
            if seconds is None
            else f"tried again in {seconds:.0f} s"
        )
        self._report(
            f"version {version.number} was not taken up: {self.name} {why}, try {self.tries}; {after}"
        )

    def _rejected(self, version: Version, why: str) -> bool:
        """Whether the refusal could be kept: on a drive that is full it is tried again instead."""
        try:
            self.keeper.reject(version, self._reason(why))
        except OSError as error:
            say(f"the refusal cannot be kept: {error}")
            return False
        return True

    def _reason(self, why: str) -> str:
        return f"{self.name} does not start with it ({why})"

    def _report(self, trouble: str) -> None:
        """What this container runs with, for those who wait for a change to be live."""
        said = {
            "service": self.name,
            "version": self.live,
            "since": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "trouble": trouble,
        }
        data = (json.dumps(said) + "\n").encode()
        self.keeper.records.publish(("services", f"{self.name}.json"), data)


def listening(port: int) -> socket.socket:
    """A socket that outlives every generation."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("0.0.0.0", port))  # noqa: S104 (the container's own network alone)
    made.listen(BACKLOG)
    return made
