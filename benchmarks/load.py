"""`python -m benchmarks.load`: many learners at the same time in one portal, each from registration to the last unit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console

from automation.drive import sentinel
from automation.engine.inventory import connect
from automation.errors import PortalError
from benchmarks import report
from benchmarks.processes import RunFailed
from benchmarks.site import TENANT, Site, SiteError, ask, site
from benchmarks.usage import watching
from toolchain.errors import ToolchainError
from toolchain.paths import Paths

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "load-requirements.txt"
HOST, PORT = "bench.localhost", 18240
LIVE_LIMIT_SECONDS = 120.0
# Nobody opens 50 mailboxes here; who gets an account without a mail is the operator's to say.
FEATURES = "features: {SKIP_EMAIL_VALIDATION: true}\n"
OVERRIDES = "EDXAPP_PLATFORM_DESCRIPTION: Many learners\n"
COURSES = tuple(f"course-v1:bench+L{number:02}+2024_T1" for number in range(10))
# As the cms makes a course when an author sends the form; run in its container.
AUTHOR = """
import sys, django
django.setup()
from django.utils import timezone
import standin.celery
from courses import store
from courses.tasks import publish
for key in sys.argv[1:]:
    org, number, run = key.removeprefix("course-v1:").split("+")
    store.create({"_id": key, "org": org, "number": number, "run": run, "title": f"Load {number}", "author": "admin",
        "description": "A course for many learners.", "lesson": "Read this. " * 100, "created": timezone.now()})
    publish.delay(key)
"""


def main(
    learners: Annotated[int, typer.Option(min=1, help="Learners at the same time.")] = 50,
    seconds: Annotated[int, typer.Option(min=10, help="How long.")] = 180,
    arrivals: Annotated[float, typer.Option(min=0.1, help="Learners who arrive a second.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Measure a portal while many learners go from registration to the last unit: errors, times, memory, CPU."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        results = measure(learners, seconds, arrivals)
    except (PortalError, RunFailed, SiteError, ToolchainError) as error:
        report.say(f"error: {error}")
        raise typer.Exit(1) from None
    report.tell(results, as_json, partial(show, results))
    raise typer.Exit(1 if results["load"]["errors"] else 0)


def measure(learners: int, seconds: int, arrivals: float) -> dict[str, Any]:
    """Measure a portal of its own, which is removed afterwards."""
    locust = install_locust(os.environ)
    with site(report.say) as place, connect() as client:
        report.say("bringing up the portal")
        with (place.checkout / "tenants" / f"{TENANT}.yaml").open("a") as file:
            file.write(FEATURES)
        ask(["./portal", "up", TENANT], place.checkout, place.environ)
        live = write_overrides(client, place)
        publish_courses(client)
        report.say(f"{learners} learners for {seconds} s")
        with watching(TENANT) as usage:
            load = run(locust, place, learners, seconds, arrivals)
        return {
            "machine": report.machine(client),
            "learners": learners,
            "overrides_live_after_seconds": round(live, 1),
            "load": load,
            "usage": usage.facts(),
        }


def install_locust(environ: Mapping[str, str]) -> Path:
    """Install locust into its own virtual environment in the cache, once; returns its path. Raises SiteError."""
    pinned = next(line for line in REQUIREMENTS.read_text().splitlines() if line.startswith("locust=="))
    place = Paths.of(environ).cache / pinned.split()[0].replace("==", "-")
    if not (place / "done").exists():
        report.say("installing locust, once")
        shutil.rmtree(place, ignore_errors=True)
        ask([sys.executable, "-m", "venv", str(place)], HERE, environ)
        words = ["install", "--quiet", "--require-hashes", "--requirement", str(REQUIREMENTS)]
        ask([str(place / "bin" / "python"), "-m", "pip", *words], HERE, environ)
        (place / "done").touch()
    return place / "bin" / "locust"


def write_overrides(client: Any, place: Site) -> float:
    """Write overrides as a portal's admin; returns the seconds until they were in effect. Raises SiteError."""
    folder = f"/drive/{TENANT}/overrides"
    began = time.monotonic()
    sentinel.run_on_drive(
        client,
        str(place.drive),
        f"cd {folder} && printf '%s' '{OVERRIDES}' > .new && chown 61000:61000 .new && mv .new ansible_overrides.yml",
    )
    while time.monotonic() < began + LIVE_LIMIT_SECONDS:
        status_text = (place.drive / TENANT / "overrides" / "services" / "lms.json").read_text()
        if json.loads(status_text)["version"] > 0:
            return time.monotonic() - began
        time.sleep(0.2)
    raise SiteError(f"waited {LIVE_LIMIT_SECONDS:.0f} s for the lms to take up the overrides: {status_text}")


def publish_courses(client: Any) -> None:
    """Publish ten courses and wait until the catalogue and the search have them. Raises SiteError."""
    words = ["python3", "-c", AUTHOR, *COURSES]
    made = client.exec_create(f"{TENANT}-cms", words, environment={"SERVICE_VARIANT": "cms"})["Id"]
    output_lines = client.exec_start(made)
    if client.exec_inspect(made)["ExitCode"]:
        raise SiteError(f"the courses could not be made: {output_lines.decode(errors='replace')[-2000:]}")
    began = time.monotonic()
    while f"{len(COURSES)} found" not in get("/search?q=load"):
        if time.monotonic() > began + LIVE_LIMIT_SECONDS:
            raise SiteError(f"waited {LIVE_LIMIT_SECONDS:.0f} s for the courses to be found by the search")
        time.sleep(0.5)


def get(path: str) -> str:
    """A page of the lms."""
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", headers={"Host": f"{HOST}:{PORT}"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return str(answer.read().decode())


def run(locust: Path, place: Site, learners: int, seconds: int, arrivals: float) -> dict[str, Any]:
    """Run locust; returns its report. Raises SiteError."""
    file = place.root / "load.json"
    environ = {
        **{key: value for key, value in place.environ.items() if "proxy" not in key.lower()},
        "LOAD_HOST": f"{HOST}:{PORT}",
        "LOAD_COURSES": ",".join(COURSES),
        "LOAD_REPORT": str(file),
    }
    words = [
        *(str(locust), "--locustfile", str(HERE / "learner.py"), "--headless", "--only-summary"),
        *("--users", str(learners), "--spawn-rate", str(arrivals), "--run-time", f"{seconds}s"),
        *("--host", f"http://127.0.0.1:{PORT}", "--loglevel", "WARNING", "--stop-timeout", "30"),
    ]
    ended = subprocess.run(
        words, cwd=place.root, env=environ, capture_output=True, text=True, timeout=seconds + 120, check=False
    )
    if not file.exists():
        raise SiteError(f"locust ended with code {ended.returncode}: {ended.stderr[-2000:]}")
    results: dict[str, Any] = json.loads(file.read_text())
    return results


def show(results: Mapping[str, Any], console: Console) -> None:
    """Print the tables."""
    load, usage = results["load"], results["usage"]
    pages = report.table("page", "requests", "errors", "p50 ms", "p95 ms", "longest ms")
    for name, each in load["pages"].items():
        pages.add_row(name, *(str(round(each[key] or 0)) for key in each))
    console.print(
        f"{results['learners']} learners, {load['seconds']} s, {load['requests_a_second']} requests a second"
    )
    console.print(pages)
    for each in load["error_texts"]:
        console.print(f"{each['times']} x {each['page']}: {each['error']}", markup=False)
    held = report.table("container", "peak MiB", "limit MiB", "cores")
    for name, each in usage["containers"].items():
        held.add_row(name, str(each["peak_mib"]), str(each["limit_mib"]), f"{each['cores']:.2f}")
    held.add_row("together, at once", str(usage["peak_mib"]), "", f"{usage['cores']:.2f}")
    console.print(held)


if __name__ == "__main__":
    typer.run(main)
