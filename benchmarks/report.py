"""The results as one JSON object and as tables."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import equality, events, memory
from benchmarks.rounds import Benchmark, Measurement
from benchmarks.tools import STEPS

# The aims of the project.
RATIO = 1.5
PREVIEW_SECONDS = 4.0
IDLE_MIB = 1536.0
TITLES = {"up": "cold up", "preview": "no-op preview", "again": "no-op up", "down": "destroy"}


def say(text: str) -> None:
    """Print progress on standard error; standard output is for the results."""
    print(text, file=sys.stderr, flush=True)


def tell(results: object, as_json: bool, show: Callable[[Console], None]) -> None:
    """Write the results to standard output: as JSON, or as the tables that `show` prints."""
    if as_json:
        print(json.dumps(results, indent=2))
    else:
        show(Console(width=120))


def facts(benchmark: Benchmark, rounds: int, parts: Mapping[str, float]) -> dict[str, Any]:
    """All results as plain data."""
    steps = {
        step: {
            tool: step_facts(measured)
            for (tool, of), measured in benchmark.measurements.items()
            if of == step
        }
        for step in STEPS
    }
    return {
        "machine": machine(benchmark.client),
        "rounds": rounds,
        "steps": steps,
        "ratios": ratios(steps),
        "aims": {"ratio": RATIO, "preview_seconds": PREVIEW_SECONDS, "idle_mib": IDLE_MIB},
        "chains": {tool: chain(benchmark, tool) for tool, of in benchmark.measurements if of == "up"},
        "removals": {
            tool: removal(measured) for (tool, of), measured in benchmark.measurements.items() if of == "down"
        },
        "containers": {
            tool: spans(benchmark.measurements[tool, of]) for tool, of in benchmark.measurements if of == "up"
        },
        "parts": {name: round(seconds, 3) for name, seconds in parts.items()},
        "idle": idle(benchmark),
        "same": {"objects": len(benchmark.facts), "allowed": equality.ALLOWED},
    }


def machine(client: Any) -> dict[str, Any]:
    """The machine and the engine of the measurements."""
    info = client.info()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpus": os.cpu_count(),
        "cpu": cpu_name(),
        "memory_gib": round(info["MemTotal"] / 2**30, 1),
        "kernel": platform.release(),
        "engine": info["ServerVersion"],
        "storage_driver": info["Driver"],
        "python": platform.python_version(),
    }


def cpu_name() -> str:
    """The processor's name as the kernel has it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def step_facts(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """A step of a tool over all rounds: seconds and MiB; the median run's processes."""
    seconds = [each.run.seconds for each in measurements]
    middle = median_of(measurements)
    return {
        "median": round(statistics.median(seconds), 2),
        "seconds": [round(each, 2) for each in seconds],
        "cpu_seconds": round(statistics.median(each.run.cpu_seconds for each in measurements), 2),
        "peak_mib": round(statistics.median(each.run.peak_mib for each in measurements)),
        "peak_by_process": {name: round(size) for name, size in middle.run.at_peak.items()},
        "processes": [
            {
                key: round(value, 2) if isinstance(value, float) else value
                for key, value in asdict(each).items()
            }
            for each in middle.run.processes
        ],
        "busy_before": [round(each.busy, 2) for each in measurements],
    }


def median_of(measurements: Sequence[Measurement]) -> Measurement:
    """The median run; of two in the middle the quicker one."""
    return sorted(measurements, key=lambda each: each.run.seconds)[(len(measurements) - 1) // 2]


def ratios(steps: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, float]]:
    """Each tool's median divided by that of Docker Compose."""
    return {
        step: {
            tool: round(measured["median"] / by_tool["compose"]["median"], 2)
            for tool, measured in by_tool.items()
            if tool != "compose"
        }
        for step, by_tool in steps.items()
        if "compose" in by_tool
    }


def chain(benchmark: Benchmark, tool: str) -> dict[str, Any]:
    """The longest chain of the median cold up."""
    middle = median_of(benchmark.measurements[tool, "up"])
    longest = events.chain(middle.container_times, benchmark.after, middle.run.seconds)
    facts_of_chain: dict[str, Any] = rounded(asdict(longest))
    return facts_of_chain


def removal(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """The layers of the median removal."""
    middle = median_of(measurements)
    facts_of_removal: dict[str, Any] = rounded(
        asdict(events.removal(middle.container_times, middle.run.seconds))
    )
    return facts_of_removal


def spans(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """The times of each container in the median cold up."""
    return {
        name: rounded({key: value for key, value in asdict(life).items() if value is not None})
        for name, life in sorted(median_of(measurements).container_times.items())
    }


def rounded(value: Any) -> Any:
    """Round every number in the data to two digits."""
    if isinstance(value, float):
        return round(value, 2)
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return value


def idle(benchmark: Benchmark) -> dict[str, Any] | None:
    """The figures of the idle portal; None when it was not measured."""
    if benchmark.idle is None:
        return None
    memory_facts: dict[str, Any] = rounded(
        {
            "working_set_mib": memory.total(benchmark.idle.containers),
            "after_seconds": benchmark.idle.seconds,
            "cpu": benchmark.idle.cpu,
            "containers": [asdict(each) for each in benchmark.idle.containers],
        }
    )
    return memory_facts


def show(results: Mapping[str, Any], console: Console) -> None:
    """Print the tables."""
    console.print(times(results))
    for tool, facts in results["chains"].items():
        console.print(chain_table(tool, facts))
    for tool, facts in results["removals"].items():
        console.print(removal_table(tool, facts))
    parts = table("alone", "s")
    for name, seconds in results["parts"].items():
        parts.add_row(name, f"{seconds:.2f}")
    console.print(parts)
    if results["idle"]:
        console.print(idle_table(results["idle"]))


def times(results: Mapping[str, Any]) -> Table:
    """The medians of every step and tool, and the ratio to Docker Compose."""
    made = table("", "tool", "median s", "of compose", "lowest to highest", "CPU s", "peak MiB")
    for step, by_tool in results["steps"].items():
        for tool, one in sorted(by_tool.items()):
            ratio = results["ratios"].get(step, {}).get(tool)
            made.add_row(
                TITLES[step],
                tool,
                f"{one['median']:.2f}",
                f"{ratio:.2f}" if ratio else "",
                f"{min(one['seconds']):.2f} to {max(one['seconds']):.2f}",
                f"{one['cpu_seconds']:.1f}",
                f"{one['peak_mib']}",
            )
    return made


def chain_table(tool: str, facts: Mapping[str, Any]) -> Table:
    """The times of a cold up along its longest chain."""
    made = table(f"longest chain: {tool}", "waits", "makes and starts", "until ready")
    made.add_row("before the first container", f"{facts['head']:.2f}", "", "")
    for step in facts["steps"]:
        made.add_row(step["service"], f"{step['gap']:.2f}", f"{step['make']:.2f}", f"{step['run']:.2f}")
    made.add_row("after the last is ready", f"{facts['tail']:.2f}", "", "")
    return made


def removal_table(tool: str, facts: Mapping[str, Any]) -> Table:
    """The times of a removal, layer by layer."""
    made = table(f"removal: {tool}", "containers", "from", "to", "last")
    made.add_row("before the first container", "", "0.00", f"{facts['head']:.2f}", "")
    for number, layer in enumerate(facts["layers"], 1):
        made.add_row(
            f"layer {number}",
            str(layer["containers"]),
            f"{layer['first']:.2f}",
            f"{layer['last']:.2f}",
            layer["slowest"],
        )
    made.add_row("after the last container", "", "", f"{facts['tail']:.2f} s more", "")
    return made


def idle_table(facts: Mapping[str, Any]) -> Table:
    """The idle portal, container by container."""
    made = table("idle", "working set MiB", "processes' own", "limit")
    for each in facts["containers"]:
        made.add_row(
            each["service"], f"{each['working_set']:.0f}", f"{each['anonymous']:.0f}", f"{each['limit']:.0f}"
        )
    made.add_row("sum", f"{facts['working_set_mib']:.0f}", "", f"CPU {facts['cpu']:.1%}")
    return made


def table(*columns: str) -> Table:
    """A plain table that can also be piped."""
    made = Table(box=None, pad_edge=False)
    for column in columns:
        made.add_column(column)
    return made
