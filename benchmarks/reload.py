"""`python -m benchmarks.reload TENANT`: a portal's overrides change many times while people ask for pages."""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from automation.drive import sentinel
from automation.engine.inventory import connect
from automation.errors import PortalError
from benchmarks import report
from benchmarks.usage import watching
from config.tenant.tenant import Tenant

ROOT = Path(__file__).resolve().parent.parent
LOOK_SECONDS = 0.2
# Longer than a person waits for a page.
PAGE_LIMIT_SECONDS = 60.0
LIVE_LIMIT_SECONDS = 900.0
SITES = ("lms", "cms")


class ReloadError(Exception):
    """The overrides did not become live, or were another's. The text says which."""


@dataclass
class Answers:
    """What one site answered: seconds of each page, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def facts(self) -> dict[str, Any]:
        return {
            "requests": len(self.seconds) + len(self.faults),
            "failed": len(self.faults),
            "faults": sorted(set(self.faults))[:10],
            "median_ms": round(statistics.median(self.seconds) * 1000) if self.seconds else None,
            "longest_ms": round(max(self.seconds) * 1000) if self.seconds else None,
        }


@dataclass(frozen=True, kw_only=True)
class Drive:
    """The overrides of a portal, and what its services say of them."""

    client: Any
    tenant: Tenant

    def write(self, text: str) -> None:
        """As a portal's admin would: whole, by the owner of the folder."""
        words = (
            f"cd /drive/{self.tenant.name}/overrides && cat >.new <<'END'\n{text}\nEND\n"
            "chown --reference=. .new && mv .new ansible_overrides.yml"
        )
        sentinel.run_on_drive(self.client, self.tenant.storage.root, words)

    def accepted(self) -> int:
        """The version that was judged valid last."""
        return int((self._read_json("status.json").get("accepted") or {}).get("number", 0))

    def live(self) -> dict[str, int]:
        """The version that each service runs; a worker group that was taken away has left its file."""
        names = {*self.tenant.services, *self.tenant.worker_groups}
        files = Path(self.tenant.directory, "overrides", "services").glob("*.json")
        return {
            each.stem: int(self._read_json(f"services/{each.name}").get("version") or 0)
            for each in files
            if each.stem in names
        }

    def _read_json(self, name: str) -> dict[str, Any]:
        path = Path(self.tenant.directory, "overrides", name)
        try:
            content: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        return content


def main(
    tenant: Annotated[str, typer.Argument(help="A tenant of this checkout, whose portal is up.")],
    changes: Annotated[int, typer.Option(min=1, help="How many times the overrides change.")] = 20,
    rate: Annotated[float, typer.Option(min=0.1, help="Pages a second, of lms and cms each.")] = 5.0,
    lms: Annotated[str, typer.Option(help="The page of the lms.")] = "/",
    cms: Annotated[str, typer.Option(help="The page of the cms.")] = "/",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Change the portal's overrides under load: failed pages, seconds until live, memory of both generations.

    The portal must have no overrides yet, and has none afterwards.
    """
    try:
        results = measure(Tenant.load(tenant, ROOT / "tenants"), changes, rate, {"lms": lms, "cms": cms})
    except (PortalError, ReloadError) as error:
        report.say(f"error: {error}")
        raise typer.Exit(1) from None
    report.tell(results, as_json, partial(show, results))
    raise typer.Exit(1 if any(each["failed"] for each in results["pages"].values()) else 0)


def measure(tenant: Tenant, changes: int, rate: float, pages: Mapping[str, str]) -> dict[str, Any]:
    """All of it; the overrides are gone afterwards. Raises ReloadError."""
    if Path(tenant.directory, "overrides", "ansible_overrides.yml").exists():
        raise ReloadError(f"{tenant.name} has overrides: they would be lost, so nothing was changed")
    with connect() as client:
        drive = Drive(client=client, tenant=tenant)
        waited: dict[str, list[float]] = {}
        try:
            with watching(tenant.name) as usage, requesting(tenant, rate, pages) as answers:
                for number in range(1, changes + 1):
                    took = change(drive, number)
                    report.say(
                        f"{number}: " + ", ".join(f"{name} {each:.0f} s" for name, each in took.items())
                    )
                    for name, seconds in took.items():
                        waited.setdefault(name, []).append(seconds)
        finally:
            remove = f"rm -f /drive/{tenant.name}/overrides/ansible_overrides.yml"
            sentinel.run_on_drive(client, tenant.storage.root, remove)
        return {
            "machine": report.machine(client),
            "changes": changes,
            "pages": {name: each.facts() for name, each in answers.items()},
            "live_after_seconds": {
                name: {"median": round(statistics.median(each), 1), "longest": round(max(each), 1)}
                for name, each in sorted(waited.items())
            },
            "usage": usage.facts(),
        }


def change(drive: Drive, number: int) -> dict[str, float]:
    """Write overrides that were never there; seconds until each service runs them. Raises ReloadError."""
    before = drive.accepted()
    services = drive.live()
    # Another text each time, also in another run: a text that was there before is not rendered again.
    drive.write(f"EDXAPP_PLATFORM_DESCRIPTION: Change {number} of {time.time():.0f}")
    began = time.monotonic()
    took: dict[str, float] = {}
    while len(took) < len(services):
        now = time.monotonic() - began
        if now > LIVE_LIMIT_SECONDS:
            left = ", ".join(sorted(set(services) - set(took)))
            raise ReloadError(f"waited {LIVE_LIMIT_SECONDS:.0f} s for change {number} to be live in {left}")
        accepted = drive.accepted()
        if accepted > before:
            for name, version in drive.live().items():
                if version >= accepted:
                    took.setdefault(name, now)
        time.sleep(LOOK_SECONDS)
    return took


@contextmanager
def requesting(tenant: Tenant, rate: float, pages: Mapping[str, str]) -> Iterator[dict[str, Answers]]:
    """Ask for pages at a rate until the block ends, however long each takes."""
    answers = {name: Answers() for name in SITES}
    hosts = {"lms": tenant.hosts.lms, "cms": tenant.hosts.cms}
    address = (
        "127.0.0.1" if tenant.listen.address == "0.0.0.0" else tenant.listen.address,
        tenant.listen.port,
    )
    over = threading.Event()
    askers: list[threading.Thread] = []

    def tick(ask: Callable[[], None]) -> None:
        due = time.monotonic()
        while not over.wait(max(0.0, due - time.monotonic())):
            due += 1 / rate
            each = threading.Thread(target=ask, daemon=True)
            each.start()
            askers.append(each)

    def asks(name: str) -> Callable[[], None]:
        return lambda: ask(address, f"{hosts[name]}:{tenant.listen.port}", pages[name], answers[name])

    clocks = [threading.Thread(target=tick, args=(asks(name),), daemon=True) for name in SITES]
    for each in clocks:
        each.start()
    try:
        yield answers
    finally:
        over.set()
        for each in (*clocks, *askers):
            each.join(timeout=PAGE_LIMIT_SECONDS + 10)


def ask(address: tuple[str, int], host: str, path: str, answers: Answers) -> None:
    """One page, on a connection of its own: an answer below 500 is one."""
    began = time.monotonic()
    connection = http.client.HTTPConnection(*address, timeout=PAGE_LIMIT_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
        fault = f"status {answer.status}" if answer.status >= 500 else ""
    except (OSError, http.client.HTTPException) as error:
        fault = f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    with answers.lock:
        if fault:
            answers.faults.append(fault)
        else:
            answers.seconds.append(time.monotonic() - began)


def show(results: Mapping[str, Any], console: Console) -> None:
    """The tables."""
    pages = report.table("pages of", "requests", "failed", "median ms", "longest ms")
    for name, each in results["pages"].items():
        keys = ("requests", "failed", "median_ms", "longest_ms")
        pages.add_row(name, *(str(each[key]) for key in keys))
    console.print(pages)
    for each in results["pages"].values():
        for fault in each["faults"]:
            console.print(fault, markup=False)
    live = report.table("live in", "median s", "longest s")
    for name, each in results["live_after_seconds"].items():
        live.add_row(name, str(each["median"]), str(each["longest"]))
    console.print(live)
    held = report.table("container", "peak MiB", "limit MiB", "cores")
    for name, each in results["usage"]["containers"].items():
        held.add_row(name, str(each["peak_mib"]), str(each["limit_mib"]), f"{each['cores']:.2f}")
    console.print(held)


if __name__ == "__main__":
    typer.run(main)
