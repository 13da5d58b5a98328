"""`python -m benchmarks.fleet`: one command over 1, 2, 5 and 10 portals; its time, and the memory of the tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import docker
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import processes, report
from benchmarks.plot import Panel, svg
from benchmarks.processes import Run, RunFailed
from preflight.connection import direct_arguments
from testbed.checkout import Checkout, temporary_checkout
from testbed.light import replace_recipes
from testbed.objects import LIMIT_SECONDS, Objects

COUNTS = (1, 2, 5, 10)
# A file that all tenants share: redis and the load balancer get other memory in each.
SHARED = Path("config/releases/redwood.yml")
BEFORE, AFTER = "memory: 128MiB\n    memory_min: 64MiB", "memory: 160MiB\n    memory_min: 64MiB"
LIMIT = 1800.0
# What a kind of process runs: the plugins of plugins/, or the official ones.
PARTS = {
    "worker": ("automation.fleet.worker",),
    "cli": ("pulumi",),
    "docker plugin": ("plugins.docker", "pulumi-resource-docker"),
    "random plugin": ("plugins.random", "pulumi-resource-random"),
}


def name(number: int) -> str:
    """The name of a tenant of this benchmark."""
    return f"bench-fleet-{number}"


NAMES = [name(each) for each in range(1, max(COUNTS) + 1)]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One command over `tenants` portals: seconds, CPU seconds, and MiB of memory at the peak.

    `peak_mib` sums resident sets, `once_mib` counts a page that processes share once. `parts` has the largest process of each kind.
    """

    verb: str
    tenants: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    once_mib: float
    parts: Mapping[str, float]
    busy_before: float

    def facts(self) -> dict[str, Any]:
        """As plain data, rounded to what can be relied on."""
        return {
            "verb": self.verb,
            "tenants": self.tenants,
            "seconds": round(self.seconds, 1),
            "cpu_seconds": round(self.cpu_seconds, 1),
            "peak_mib": round(self.peak_mib),
            "once_mib": round(self.once_mib),
            "parts_mib": {part: round(size) for part, size in self.parts.items()},
            "busy_before": round(self.busy_before, 2),
        }


def main(
    counts: Annotated[str, typer.Option(help="How many portals, one round each.")] = "1,2,5,10",
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for a calm machine.")] = 60.0,
    plot: Annotated[Path | None, typer.Option(help="Write the lines as an SVG here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Measure onboarding, no-op preview, a shared setting changed, and destroy, over fleets of light portals."""
    fleet_sizes = [int(each) for each in counts.split(",")]
    try:
        measurements = measure(fleet_sizes, patience)
    except RunFailed as error:
        report.say(f"error: {error}")
        raise typer.Exit(1) from None
    if plot:
        plot.write_text(svg(panels(measurements)))
    report.tell([each.facts() for each in measurements], as_json, partial(show, measurements))


def measure(counts: Sequence[int], patience: float) -> list[Measured]:
    """One round for each number of portals. Each begins and ends without any portal."""
    client = docker.APIClient(**direct_arguments(""), timeout=LIMIT_SECONDS)
    try:
        with temporary_checkout("benchmark-fleet", NAMES, Objects(client=client)) as checkout:
            replace_recipes(checkout.folder / "images")
            shared = checkout.folder / SHARED
            first = shared.read_text()
            assert BEFORE in first, f"{SHARED} has no {BEFORE!r}"
            measurements: list[Measured] = []
            for count in counts:
                measurements += round_of(checkout, count, patience, shared, first)
            return measurements
    finally:
        client.close()


def round_of(checkout: Checkout, count: int, patience: float, shared: Path, first: str) -> list[Measured]:
    """Measure all verbs over the first `count` portals: onboard them first, destroy them and delete their tenant files last."""

    def timed(verb: str, *words: str) -> Measured:
        calm = processes.wait_until_calm(patience)
        run = processes.run(
            words,
            cwd=checkout.folder,
            env=checkout.environ(),
            log=checkout.base / "log.txt",
            limit=LIMIT,
        )
        report.say(
            f"{count} portals: {verb}: {run.seconds:.1f} s, {run.cpu_seconds:.1f} s of processor, {run.peak_mib:.0f} MiB ({run.once_mib:.0f} with shared pages once)"
        )
        return measurement(verb, count, run, calm)

    confirmed = ",".join(sorted(NAMES[:count]))
    processes.run(
        ["./portal", "images", "build"],
        cwd=checkout.folder,
        env=checkout.environ(),
        log=checkout.base / "log.txt",
        limit=LIMIT,
    )
    clients = checkout.base / "clients.csv"
    clients.write_text(onboarding_requests(count, checkout.drive))
    script = f'eval "$(./portal env)"; exec python -m docs.examples.onboard {clients}'
    measurements = [timed("onboard", "bash", "-ec", script)]
    measurements.append(timed("preview", "./portal", "preview", "--all"))
    measurements.append(timed("preview, one", "./portal", "preview", name(1)))
    shared.write_text(first.replace(BEFORE, AFTER))
    measurements.append(timed("change", "./portal", "up", "--all"))
    shared.write_text(first)
    measurements.append(timed("destroy", "./portal", "destroy", "--all", "--confirm", confirmed))
    for each in NAMES[:count]:
        (checkout.folder / "tenants" / f"{each}.yaml").unlink()
    return measurements


def measurement(verb: str, tenants: int, run: Run, busy_before: float) -> Measured:
    """The measurement of a run."""
    parts = {
        part: max((each.peak_mib for each in run.processes if is_of_kind(each.words, marks)), default=0.0)
        for part, marks in PARTS.items()
    }
    return Measured(
        verb=verb,
        tenants=tenants,
        seconds=run.seconds,
        cpu_seconds=run.cpu_seconds,
        peak_mib=run.peak_mib,
        once_mib=run.once_mib,
        parts={part: size for part, size in parts.items() if size},
        busy_before=busy_before,
    )


def is_of_kind(words: str, marks: Sequence[str]) -> bool:
    """Whether a process is of a kind, by its program's name or the module that Python runs."""
    return any(mark in words.split() for mark in marks)


def onboarding_requests(count: int, drive: Path) -> str:
    """The input of the onboarding script. Its subnets are far from those of the tests and of a first tenant; the ports are free ones."""
    rows = ["name,lms,title,mail,subnet,root"]
    for number in range(1, count + 1):
        host = f"{name(number)}.localhost"
        rows.append(f"{name(number)},{host},Benchmark {number},sink,10.77.{150 + number}.0/24,{drive}")
    return "\n".join([*rows, ""])


def panels(measurements: Sequence[Measured]) -> list[Panel]:
    """Seconds, processor seconds, and peak memory, over the number of portals."""

    def lines(value: str) -> dict[str, list[tuple[float, float]]]:
        made: dict[str, list[tuple[float, float]]] = {}
        for each in measurements:
            if each.verb != "preview, one":
                made.setdefault(each.verb, []).append((float(each.tenants), float(getattr(each, value))))
        return made

    return [
        Panel(title="seconds", x="portals", lines=lines("seconds")),
        Panel(title="processor seconds of the tools", x="portals", lines=lines("cpu_seconds")),
        Panel(title="peak memory of the tools, MiB, shared pages once", x="portals", lines=lines("once_mib")),
    ]


def show(measurements: Sequence[Measured], console: Console) -> None:
    """Print a row for each command."""
    table = Table()
    for column in (
        "portals",
        "command",
        "s",
        "s a portal",
        "CPU s",
        "peak MiB (RSS)",
        "largest of each kind, MiB",
    ):
        table.add_column(column)
    for each in measurements:
        divided = each.seconds / (1 if each.verb == "preview, one" else each.tenants)
        table.add_row(
            str(each.tenants),
            each.verb,
            f"{each.seconds:.1f}",
            f"{divided:.1f}",
            f"{each.cpu_seconds:.1f}",
            f"{each.once_mib:.0f} ({each.peak_mib:.0f})",
            ", ".join(f"{part} {size:.0f}" for part, size in each.parts.items()),
        )
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
