"""Peak memory and CPU time of a portal's containers while something else runs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from automation.engine.inventory import connect
from benchmarks import memory

EVERY_SECONDS = 2.0


@dataclass
class Usage:
    """By service: the highest working set and the limit in MiB, and seconds of CPU. `peak` is of all together."""

    peaks: dict[str, float] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    peak: float = 0.0
    seconds: float = 0.0

    def add(self, sample: list[memory.ContainerMemory]) -> None:
        """Add one sample of all containers."""
        for each in sample:
            self.peaks[each.service] = max(self.peaks.get(each.service, 0.0), each.working_set)
            self.limits[each.service] = each.limit
            self.first.setdefault(each.service, each.cpu_seconds)
            self.last[each.service] = each.cpu_seconds
        self.peak = max(self.peak, memory.total(sample))

    def facts(self) -> dict[str, Any]:
        """As plain data, the largest first. CPU in cores: seconds a second."""
        services = {
            name: {
                "peak_mib": round(peak),
                "limit_mib": round(self.limits[name]),
                "cores": round((self.last[name] - self.first[name]) / max(self.seconds, 1), 3),
            }
            for name, peak in sorted(self.peaks.items(), key=lambda each: -each[1])
        }
        cores = sum(each["cores"] for each in services.values())
        return {"peak_mib": round(self.peak), "cores": round(cores, 2), "containers": services}


@contextmanager
def watching(tenant: str) -> Iterator[Usage]:
    """Measure every two seconds until the block ends."""
    usage, over = Usage(), threading.Event()

    def watch() -> None:
        with connect() as client:
            while True:
                usage.add(memory.container_memory(client, tenant))
                if over.wait(EVERY_SECONDS):
                    return

    thread = threading.Thread(target=watch, daemon=True)
    began = time.monotonic()
    thread.start()
    try:
        yield usage
    finally:
        over.set()
        thread.join(timeout=60)
        usage.seconds = time.monotonic() - began
