"""`python -m benchmarks.portal`: a whole portal by this project and by Docker Compose, in the same run."""

import signal
from functools import partial
from types import FrameType
from typing import Annotated

import typer

from automation.engine.inventory import connect
from automation.errors import PortalError
from benchmarks import compose_build, part_times, report, tools
from benchmarks.composefile import UnknownInput
from benchmarks.equality import PortalsDiffer
from benchmarks.processes import RunFailed
from benchmarks.rounds import Benchmark
from benchmarks.site import SiteError, site
from toolchain.errors import ToolchainError

# Long enough for what starts late (OpenSearch's first merges, Python's first collections) to be over.
IDLE_SECONDS = 60.0
PATIENCE_SECONDS = 60.0


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Counted rounds a tool, after one that is not.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    idle_seconds: Annotated[
        float, typer.Option(min=0, help="How long the portal is left alone.")
    ] = IDLE_SECONDS,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for a calm machine before each step.")
    ] = PATIENCE_SECONDS,
) -> None:
    """Measure cold up, no-op preview, no-op up and destroy of one portal, with memory, against Docker Compose."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        results = measure(rounds, idle_seconds, patience)
    except (
        PortalsDiffer,
        PortalError,
        RunFailed,
        SiteError,
        ToolchainError,
        UnknownInput,
        compose_build.GoMissing,
    ) as error:
        report.say(f"error: {error}")
        raise typer.Exit(1) from None
    report.tell(results, as_json, partial(report.show, results))


def measure(rounds: int, idle_seconds: float, patience: float) -> dict[str, object]:
    """Run all rounds in a temporary checkout, which is removed afterwards."""
    with site(report.say) as place, connect() as client:
        binary = compose_build.compose(place.environ, report.say)
        benchmark = Benchmark(site=place, client=client, say=report.say, patience=patience)
        contestants = [tools.pulumi(), tools.compose(binary, place), tools.portal()]
        for number in range(rounds + 1):
            report.say(
                f"round {number} of {rounds}"
                if number
                else "a round that is not counted: caches, proof of sameness"
            )
            # In turn from both ends, so that none always follows the same one.
            for tool in contestants if number % 2 == 0 else reversed(contestants):
                last = number == rounds and tool.name == "./portal"
                benchmark.round(tool, counted=number > 0, idle_seconds=idle_seconds if last else 0)
        return report.facts(benchmark, rounds, part_times.time_parts(place))


if __name__ == "__main__":
    typer.run(main)
