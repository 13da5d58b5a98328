"""What can be reached from a container's network: a script that runs beside it, and what it found."""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from testbed.objects import Objects

# Runs by the plain interpreter of the image `python`, in the network of the container that is asked about.
SCRIPT = """
import asyncio, concurrent.futures, json, os, socket, sys

told = json.loads(sys.argv[1])
# A name that nobody knows is asked of servers outside, which do not answer a private network.
os.environ["RES_OPTIONS"] = "timeout:3 attempts:1"

def listening():
    # Ports that listen on an address that others can have, by the kernel's table.
    found = set()
    for table in ("tcp", "tcp6"):
        for line in open("/proc/net/" + table).readlines()[1:]:
            _, local, _, state = line.split()[:4]
            address, port = local.split(":")
            loopback = address.endswith("7F") if table == "tcp" else address == "0" * 24 + "01000000"
            mapped = address.startswith("0000000000000000FFFF0000") and address.endswith("7F")
            if state == "0A" and not loopback and not mapped:
                found.add(int(port, 16))
    return sorted(found)

def resolve(name):
    try:
        return sorted({each[4][0] for each in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)})
    except OSError:
        return []

async def connect(address, port):
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 2)
    except ConnectionRefusedError:
        return "refused"
    except (OSError, asyncio.TimeoutError):
        return "silent"
    writer.close()
    return "open"

async def main():
    loop = asyncio.get_running_loop()
    # The engine forwards 100 questions at a time and drops the rest: names that nobody knows would drown the others.
    pool = concurrent.futures.ThreadPoolExecutor(48)
    names = await asyncio.gather(*(loop.run_in_executor(pool, resolve, name) for name in told["names"]))
    endpoints = await asyncio.gather(*(connect(*endpoint) for endpoint in told["endpoints"]))
    print(json.dumps({
        "listening": listening(),
        "names": dict(zip(told["names"], names)),
        "endpoints": [[*endpoint, answer] for endpoint, answer in zip(told["endpoints"], endpoints)],
    }))

asyncio.run(main())
"""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Addresses by name; `open`, `refused` or `silent` by (address, port); what itself listens on."""

    listening: tuple[int, ...]
    names: dict[str, list[str]]
    endpoints: dict[tuple[str, int], str]


# Each waits for what does not answer, and takes next to no processor meanwhile.
AT_ONCE = 8


def reaches(
    objects: Objects, tenant: str, names: Iterable[str] = (), endpoints: Iterable[tuple[str, int]] = ()
) -> dict[str, Reach]:
    """What each running service of a portal can reach, some of them asked at the same time."""
    containers = objects.containers(tenant, jobs=False)
    reach_of = partial(reach, objects, names=tuple(names), endpoints=tuple(endpoints))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reaches_of_all = pool.map(reach_of, [inspection["Id"] for inspection in containers.values()])
        return dict(zip(containers, reaches_of_all, strict=True))


def reach(
    objects: Objects, container: str, names: Iterable[str] = (), endpoints: Iterable[tuple[str, int]] = ()
) -> Reach:
    """Resolve the names and connect to the endpoints from inside the container's network."""
    return _reach(objects.python_in_network_of(container, SCRIPT, _arguments(names, endpoints)))


def reach_from(
    objects: Objects,
    networks: Sequence[str],
    names: Iterable[str] = (),
    endpoints: Iterable[tuple[str, int]] = (),
) -> Reach:
    """The same from a container that is made for it, on the networks of one that has ended."""
    return _reach(objects.python_on_networks(networks, SCRIPT, _arguments(names, endpoints)))


def _arguments(names: Iterable[str], endpoints: Iterable[tuple[str, int]]) -> str:
    return json.dumps({"names": sorted(names), "endpoints": sorted(endpoints)})


def _reach(inspection: dict[str, Any]) -> Reach:
    return Reach(
        listening=tuple(inspection["listening"]),
        names=inspection["names"],
        endpoints={(address, port): answer for address, port, answer in inspection["endpoints"]},
    )
