"""Looks at an openedx image that is built elsewhere, before any portal uses it, and says whether it keeps the contract.

Its files are asked of the engine, without running anything. Then its own Python runs once: as user 1000, without network,
capabilities and a root that can be written to, for a limited time, in limited memory, and no more of what it says is read
than the limit.
"""

import base64
import io
import json
import re
import tarfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.engine.docker_exec import output_parts
from automation.errors import PortalError, WrongWords
from automation.images import contract
from automation.images.contract import Check, InspectedImage, ProbeResult
from config.reading.words import count_of, excerpt
from preflight.facts import MACHINES
from preflight.helper import helper

Say = Callable[[str], None]

PROBE = Path(contract.__file__).with_name("contract_probe.py")
USER = "1000:1000"
MEMORY_MIB = 1024
# lms and cms of a real release are imported within half a minute on two busy cores.
LIMIT_SECONDS = 180.0
# The probe says a line of some hundred bytes, imports may warn for pages.
MOST_BYTES = 256 * 1024
LARGEST_FILE = 64 * 1024
KILLS, KILL_SECONDS = 3, 20
MOST_PROCESSES = 2048
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,400}")


class ContractBroken(PortalError):
    """An image does not keep the contract, so no portal is brought up on it."""

    exit_code = 12


@dataclass(frozen=True, kw_only=True)
class Report:
    """What is known of an image: its id, its digest in a registry, how large it is, and each point of the contract."""

    reference: str
    id: str
    digest: str
    megabytes: int
    checks: tuple[Check, ...]

    @property
    def broken(self) -> list[Check]:
        """The points that it does not keep."""
        return contract.broken(self.checks)

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "reference": self.reference,
            "id": self.id,
            "digest": self.digest,
            "megabytes": self.megabytes,
            "keeps_contract": not self.broken,
            "checks": [each.facts() for each in self.checks],
        }


def require_reference(reference: str) -> None:
    """Raises WrongWords for what is no image's name."""
    if not REFERENCE.fullmatch(reference) or ".." in reference:
        raise WrongWords(
            f"{excerpt(reference)} is not the name of an image, expected for example registry.acme.example/openedx@sha256:…"
        )


def report(client: Any, reference: str, known: list[str], release: str = "") -> Report:
    """An image that the engine has, judged. `known` are the releases that there are, `release` the one that a portal has."""
    inspection = client.inspect_image(reference)
    machine = str(client.info().get("Architecture") or "")
    config = inspection.get("Config") or {}
    with helper(client, inspection["Id"], entrypoint=["/"], network_disabled=True) as made:
        paths = {each for each in contract.STATIC_FILES if stat(client, made, each)}
        release_file = read(client, made, contract.RELEASE_FILE)
    image = InspectedImage(
        os=str(inspection.get("Os") or ""),
        architecture=str(inspection.get("Architecture") or ""),
        machine=MACHINES.get(machine, machine),
        volumes=[str(each) for each in config.get("Volumes") or ()],
        triggers=[str(each) for each in config.get("OnBuild") or ()],
        paths=paths,
        release_file=release_file,
        probe=run_probe(client, inspection["Id"]),
    )
    digests = [str(each).partition("@")[2] for each in inspection.get("RepoDigests") or ()]
    return Report(
        reference=reference,
        id=str(inspection["Id"]),
        digest=digests[0] if digests else "",
        megabytes=int(inspection.get("Size") or 0) // 10**6,
        checks=contract.judge(image, known, release),
    )


def require(client: Any, reference: str, known: list[str], release: str, say: Say) -> None:
    """Raises ContractBroken with every point that an image does not keep."""
    say(f"checking the contract of {reference}")
    if broken := report(client, reference, known, release).broken:
        lines = [f"  {each.name}: {each.found}, expected {each.expected}; {each.remedy}" for each in broken]
        raise ContractBroken(
            "\n".join(
                [
                    f"{reference} does not keep {count_of(len(broken), 'point')} of the contract for openedx images "
                    "(docs/images.md); nothing was stopped or changed:",
                    *lines,
                ]
            )
        )


def stat(client: Any, container: str, path: str) -> dict[str, Any]:
    """What the engine says of a path in a container, which does not run; empty where there is none."""
    url = f"{client.base_url}/v{client.api_version}/containers/{container}/archive"
    answer = client.head(url, params={"path": path}, timeout=client.timeout)
    if answer.status_code != 200:
        return {}
    properties: dict[str, Any] = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
    return properties


def read(client: Any, container: str, path: str) -> str:
    """The text of a file in a container, which does not run; empty where there is none, or one that is too large."""
    properties = stat(client, container, path)
    if not properties or properties.get("linkTarget") or not 0 < properties.get("size", 0) <= LARGEST_FILE:
        return ""
    stream, _ = client.get_archive(container, path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
        file = next((tar.extractfile(each) for each in tar if each.isfile()), None)
        return file.read(LARGEST_FILE).decode(errors="replace") if file else ""


def run_probe(client: Any, image: str, limit: float = LIMIT_SECONDS) -> ProbeResult:
    """What the image's own Python says of it. Never raises for what an image does."""
    from docker.errors import APIError
    from docker.types import LogConfig, Ulimit
    from requests.exceptions import RequestException

    config = client.create_host_config(
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        read_only=True,
        tmpfs={"/tmp": "size=64m,mode=1777,noexec"},  # noqa: S108
        mem_limit=f"{MEMORY_MIB}m",
        memswap_limit=f"{MEMORY_MIB}m",
        pids_limit=64,
        # One of however many processors.
        cpu_period=100_000,
        cpu_quota=100_000,
        ulimits=[
            Ulimit(name="nofile", soft=4096, hard=4096),
            # For engines whose kernel limits no memory and no processes: then these are limits of each process, and of all
            # that user 1000 has on the host.
            Ulimit(name="nproc", soft=MOST_PROCESSES, hard=MOST_PROCESSES),
            Ulimit(name="data", soft=MEMORY_MIB * 2**20, hard=MEMORY_MIB * 2**20),
        ],
        # What it says is read here alone, as it comes.
        log_config=LogConfig(type="none"),
    )
    how = {
        "entrypoint": ["python", "-I", "-c", PROBE.read_text(encoding="utf-8")],
        "command": [],
        "user": USER,
        "working_dir": "/",
        "host_config": config,
        "network_disabled": True,
        "healthcheck": {"test": ["NONE"]},
    }
    with helper(client, image, **how) as made:
        listener = Listener(client, made)
        try:
            client.start(made)
        except APIError as error:
            return ProbeResult(
                failure=f"it does not start: {excerpt(str(error.explanation or error), contract.LONGEST)}"
            )
        until = time.monotonic() + limit
        ended = listener.done.wait(limit)
        code = None
        if ended and not listener.over:
            # Its words may end before it does.
            with suppress(RequestException):
                code = client.wait(made, timeout=max(1.0, until - time.monotonic()))["StatusCode"]
        if code is None:
            kill(client, made)
        killed = client.inspect_container(made)["State"].get("OOMKilled")
    if listener.over:
        return ProbeResult(failure=f"it said more than {MOST_BYTES // 1024} KiB, and was ended")
    if code is None:
        return ProbeResult(failure=f"it did not end within {limit:.0f} s, and was ended")
    if killed:
        return ProbeResult(failure=f"it took more than {MEMORY_MIB} MiB of memory, and was ended")
    if code:
        last = (listener.err.decode(errors="replace").strip() or "it said nothing").splitlines()[-1]
        return ProbeResult(failure=f"it ended with {code}: {excerpt(last, contract.LONGEST)}")
    return contract.parse(bytes(listener.out))


def kill(client: Any, container: str) -> None:
    """End a container whatever it does: the engine takes long for one with many busy processes, and would not remove it yet."""
    from docker.errors import APIError
    from requests.exceptions import RequestException

    for _ in range(KILLS):
        with suppress(APIError, RequestException):
            client.kill(container)
            client.wait(container, timeout=KILL_SECONDS)
        if not client.inspect_container(container)["State"]["Running"]:
            return


class Listener:
    """Reads what a container says from its first word on, and stops at the limit; `done` once it says no more."""

    def __init__(self, client: Any, container: str) -> None:
        self.out, self.err = bytearray(), bytearray()
        self.over = False
        self.done = threading.Event()
        words = {"stdout": 1, "stderr": 1, "stream": 1}
        reader = client.attach_socket(container, params=words)
        # It ends with the container, which is gone at the latest when its question has been asked.
        threading.Thread(target=self._read, args=(reader,), daemon=True).start()

    def _read(self, reader: Any) -> None:
        try:
            for stream, part in output_parts(reader):
                (self.out if stream == 1 else self.err).extend(part[:MOST_BYTES])
                if len(self.out) + len(self.err) > MOST_BYTES:
                    self.over = True
                    return
        except (OSError, ValueError):
            # The connection ends with the container.
            pass
        finally:
            self.done.set()
