"""When each container was made, started and ready, by the engine's own clock."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import docker

from preflight.connection import direct_arguments

NANO = 1e9
LATE_SECONDS = 0.3
WANTED = ("create", "start", "health_status", "die", "kill", "destroy")


@dataclass
class ContainerTimes:
    """When a container was made, started and so on, in seconds after the command began. None: it has not happened."""

    create: float | None = None
    start: float | None = None
    healthy: float | None = None
    kill: float | None = None
    die: float | None = None
    destroy: float | None = None

    @property
    def ready(self) -> float | None:
        """When others that wait for it can go on: when it is healthy or, for a job, when it has ended."""
        return self.healthy if self.healthy is not None else self.die


@dataclass
class Recorder:
    """The engine's events of one tenant's containers."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def container_times(self, begin: float, prefix: str) -> dict[str, ContainerTimes]:
        """The times of each container by service name. `begin` is the time of day at which the command started."""
        return container_times(self.events, begin, prefix)


@contextmanager
def recording(tenant: str) -> Iterator[Recorder]:
    """Record the engine's events while the block runs."""
    recorder = Recorder()
    # A client of its own: another's time limit would end a stream on which nothing happens for a while.
    client = docker.APIClient(**direct_arguments(""), timeout=None)
    stream = client.events(
        decode=True,
        filters={"type": "container", "label": f"com.docker.compose.project={tenant}", "event": list(WANTED)},
    )

    def read() -> None:
        recorder.events.extend(stream)

    thread = threading.Thread(target=read, name="events", daemon=True)
    thread.start()
    try:
        yield recorder
        # The last event is sent after the request that caused it was answered.
        time.sleep(LATE_SECONDS)
    finally:
        stream.close()
        thread.join(timeout=5)
        client.close()


def container_times(
    events: Sequence[Mapping[str, Any]], begin: float, prefix: str
) -> dict[str, ContainerTimes]:
    """Container times from events; only the first of a kind counts, so that a restart does not hide the first start."""
    made: dict[str, ContainerTimes] = {}
    for event in events:
        name = event["Actor"]["Attributes"]["name"].removeprefix(prefix)
        life = made.setdefault(name, ContainerTimes())
        kind = {"health_status: healthy": "healthy"}.get(event["Action"], event["Action"])
        if hasattr(life, kind) and getattr(life, kind) is None:
            setattr(life, kind, event["timeNano"] / NANO - begin)
    return made


@dataclass(frozen=True, kw_only=True)
class Step:
    """One container on the longest chain, in seconds: `gap` from when it might begin until it is made or started,
    `make` until it has started, `run` until it is ready."""

    service: str
    gap: float
    make: float
    run: float


@dataclass(frozen=True, kw_only=True)
class Chain:
    """How long a cold up takes: before the first container, along the longest chain, and after the last is ready."""

    head: float
    steps: Sequence[Step]
    tail: float


def chain(times: Mapping[str, ContainerTimes], after: Mapping[str, Sequence[str]], seconds: float) -> Chain:
    """The longest chain of containers, found backwards from the one that was ready last."""
    ready = {name: life.ready for name, life in times.items() if life.ready is not None}
    if not ready:
        return Chain(head=seconds, steps=(), tail=0.0)
    steps: list[Step] = []
    name: str | None = max(ready, key=lambda each: ready[each] or 0.0)
    tail = seconds - (ready[name or ""] or 0.0)
    first = min(life.create for life in times.values() if life.create is not None)
    while name is not None:
        life = times[name]
        before = [each for each in after.get(name, ()) if each in ready]
        last = max(before, key=lambda each: ready[each] or 0.0) if before else None
        free = ready[last] or 0.0 if last else first
        create, start = life.create or 0.0, life.start or 0.0
        # Compose makes all containers first: then the gap is before the start.
        steps.append(
            Step(
                service=name,
                gap=max(0.0, create - free),
                make=start - max(create, free),
                run=(life.ready or 0.0) - start,
            )
        )
        name = last
    return Chain(head=first, steps=tuple(reversed(steps)), tail=tail)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Containers that were removed together: when the first began, when the last ended, and which was last."""

    first: float
    last: float
    slowest: str
    containers: int


@dataclass(frozen=True, kw_only=True)
class Removal:
    """Where a removal spends its time: before the first container is told to stop, then layer by layer of the
    containers that go together, and after the last container is gone."""

    head: float
    layers: Sequence[Layer]
    tail: float


def removal(times: Mapping[str, ContainerTimes], seconds: float) -> Removal:
    """The removal in layers. A new layer begins when everything before it is gone."""
    spans = sorted(
        (min(each for each in (life.kill, life.destroy) if each is not None), life.destroy, name)
        for name, life in times.items()
        if life.destroy is not None
    )
    layers: list[Layer] = []
    for first, last, name in spans:
        if layers and first < layers[-1].last:
            before = layers.pop()
            slowest = name if last > before.last else before.slowest
            layers.append(
                Layer(
                    first=before.first,
                    last=max(last, before.last),
                    slowest=slowest,
                    containers=before.containers + 1,
                )
            )
        else:
            layers.append(Layer(first=first, last=last, slowest=name, containers=1))
    head, end = (layers[0].first, layers[-1].last) if layers else (seconds, seconds)
    return Removal(head=head, layers=tuple(layers), tail=seconds - end)
