"""The rounds: each tool in turn brings the same portal up from empty directories, runs again without a change, and removes it."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automation.engine.inventory import Container, containers
from benchmarks import composefile, equality, events, memory
from benchmarks.processes import Run, RunFailed, run, wait_until_calm
from benchmarks.site import TENANT, Site
from benchmarks.tools import Tool

LIMIT_SECONDS = 900.0
LAST_LINES = 20

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One measured step. `busy`: how busy the machine was just before, 0 to 1."""

    run: Run
    busy: float
    container_times: Mapping[str, events.ContainerTimes]


@dataclass(frozen=True, kw_only=True)
class Idle:
    """A portal that nobody uses: its containers, and the CPU seconds per second of all together."""

    containers: Sequence[memory.ContainerMemory]
    cpu: float
    seconds: float


@dataclass
class Benchmark:
    """The state and the results of all rounds. `patience`: seconds to wait for an idle machine before each step."""

    site: Site
    client: Any
    say: Say
    patience: float = 60.0
    measurements: dict[tuple[str, str], list[Measurement]] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    facts: dict[str, equality.Facts] = field(default_factory=dict)
    idle: Idle | None = None

    def round(self, tool: Tool, *, counted: bool, idle_seconds: float = 0.0) -> None:
        """One tool's turn. Raises RunFailed, PortalsDiffer."""
        self.site.empty(self.client)
        for step, words in tool.words.items():
            measurements = self.measure(words)
            self.say(
                f"  {tool.name} {step}: {measurements.run.seconds:.1f} s, {measurements.run.peak_mib:.0f} MiB"
                + (f" (machine {measurements.busy:.0%} busy before)" if measurements.busy > 0.15 else "")
            )
            if counted:
                self.measurements.setdefault((tool.name, step), []).append(measurements)
            if step == "up":
                self.compare(tool)
            if step == "again" and idle_seconds:
                self.idle = self.watch_idle(idle_seconds)

    def measure(self, words: Sequence[Any]) -> Measurement:
        """Run one command when the machine is idle, and record the engine's events meanwhile."""
        calm = wait_until_calm(self.patience)
        with events.recording(TENANT) as recorder:
            try:
                run_result = run(
                    words,
                    cwd=self.site.checkout,
                    env=self.site.environ,
                    log=self.site.log,
                    limit=LIMIT_SECONDS,
                )
            except RunFailed as error:
                raise RunFailed(f"{error}{self.last_words()}") from None
        return Measurement(
            run=run_result,
            busy=calm,
            container_times=recorder.container_times(run_result.started, f"{TENANT}-"),
        )

    def last_words(self) -> str:
        """The last lines of the logs of failed containers."""
        failed = self.client.containers(
            all=True, filters={"label": f"com.docker.compose.project={TENANT}", "status": "exited"}
        )
        return "".join(
            f"\n{each['Names'][0]}: {each['Status']}\n"
            + self.client.logs(each["Id"], tail=LAST_LINES).decode(errors="replace")
            for each in failed
            if not each["Status"].startswith("Exited (0)")
        )

    def keep_portal(self) -> None:
        """Write the Compose file of the portal that is up, and keep its facts for comparison."""
        all_resources = composefile.resources(self.site.exported())
        made = composefile.compose_file(all_resources, TENANT)
        # It holds the portal's passwords.
        with os.fdopen(
            os.open(self.site.compose_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            "w",
            encoding="utf-8",
        ) as file:
            # Compose reads it as YAML, to which an escaped emoji is none.
            json.dump(made, file, indent=1, ensure_ascii=False)
        self.after = {name: sorted(each.get("depends_on", {})) for name, each in made["services"].items()}
        self.files = {
            each["container_name"]: [one["target"] for one in each.get("configs", [])]
            for each in made["services"].values()
        }

    def compare(self, tool: Tool) -> None:
        """Raises PortalsDiffer when the tool did not bring up what the first one had, all of it healthy."""
        late = [each for each in containers(self.client, TENANT) if not is_up(each)]
        if late:
            raise equality.PortalsDiffer(f"{tool.name} ended before all was healthy: {late}")
        if not self.after:
            self.keep_portal()
        facts = equality.engine_facts(self.client, TENANT, self.files)
        if not self.facts:
            self.facts = facts
        different = list(equality.differences(self.facts, facts))
        if different:
            raise equality.PortalsDiffer(
                f"{tool.name} made something else than the portal:\n" + "\n".join(different[:40])
            )

    def watch_idle(self, seconds: float) -> Idle:
        """Leave the portal alone, then measure its memory and its CPU time."""
        before, begin = memory.container_memory(self.client, TENANT), time.monotonic()
        time.sleep(seconds)
        after, end = memory.container_memory(self.client, TENANT), time.monotonic()
        burnt = sum(each.cpu_seconds for each in after) - sum(each.cpu_seconds for each in before)
        return Idle(containers=after, cpu=burnt / (end - begin), seconds=seconds)


def is_up(container: Container) -> bool:
    """Whether a service is healthy, or a job has ended (its exit code is among the facts compared)."""
    return container.state == "exited" if container.group == "ops" else container.up
