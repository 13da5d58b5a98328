"""Parts in threads, side by side where they do not wait for each other."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from toolchain.errors import ToolchainError
from toolchain.setup.decide import Choice
from toolchain.setup.progress import Progress
from toolchain.setup.stamps import PartResult

Say = Callable[[str], None]

# What a part waits for. One apt at a time anyway, so the small and urgent comes first.
AFTER: Mapping[str, tuple[str, ...]] = {
    "basics": (),
    "engine": ("basics",),
    "images": ("basics", "engine"),
    "browser": ("basics", "engine", "images"),
    "venv": ("basics",),
    "go": ("basics",),
    "pulumi": ("basics", "go"),
    "language-host": ("basics", "go", "pulumi*"),
    "plugins": ("basics", "pulumi*"),
    "state": (),
    "portal-images": ("basics", "engine", "images", "venv"),
}


@dataclass(frozen=True)
class Schedule:
    """Runs parts in threads, in the order that AFTER demands."""

    plan: Mapping[str, Choice]
    make: Callable[[str, Choice, Say], PartResult]
    stop: Callable[[], None]
    progress: Progress

    def run(self) -> dict[str, PartResult]:
        done: dict[str, PartResult] = {}
        running: set[str] = set()
        ended: queue.Queue[tuple[str, PartResult | ToolchainError]] = queue.Queue()
        try:
            while len(done) < len(self.plan):
                for part in self.plan:
                    if part not in done and part not in running and self._waits_for(part) <= set(done):
                        running.add(part)
                        threading.Thread(target=self._thread, args=(part, ended), daemon=True).start()
                try:
                    part, result = ended.get(timeout=0.15)
                except queue.Empty:
                    self.progress.tick()
                    continue
                running.discard(part)
                if isinstance(result, ToolchainError):
                    self.progress.failed(part)
                    raise result
                self.progress.ended(result)
                done[part] = result
        except BaseException:
            # A failed part, or a signal that ends us: nothing is to go on behind our back.
            self.stop()
            raise
        return done

    def _waits_for(self, part: str) -> set[str]:
        """A star: only where the other is not built from packages, but brings this part with it."""
        return {
            name.rstrip("*")
            for name in AFTER[part]
            if name.rstrip("*") in self.plan
            and not (name.endswith("*") and self.plan[part].source == "packages")
        }

    def _thread(self, part: str, ended: "queue.Queue[tuple[str, PartResult | ToolchainError]]") -> None:
        begun = time.monotonic()
        self.progress.started(part)
        try:
            result = self.make(part, self.plan[part], lambda saying: self.progress.doing(part, saying))
            ended.put((part, replace(result, seconds=round(time.monotonic() - begun, 1))))
        except ToolchainError as error:
            ended.put((part, error))
        except Exception as error:  # noqa: BLE001 - a thread must tell its end, whatever it was
            ended.put((part, ToolchainError(f"{part}: {type(error).__name__}: {error}")))
