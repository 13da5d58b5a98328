"""What can be reached from a container's network: a script that runs beside it, and what it found."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.e2e.objects import Objects

# Runs by the plain interpreter of the image `python`, in the network of the container that is asked about.
SCRIPT = """
import asyncio, concurrent.futures, json, os, socket, sys

told = json.loads(sys.argv[1])
# A name that nobody knows is asked of servers outside, which do not answer a private network.
os.environ["RES_OPTIONS"] = "timeout:3 attempts:1"

def resolve(name):
    try:
        return sorted({each[4][0] for each in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)})
    except OSError:
        return []

async def knock(address, port):
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
    pool = concurrent.futures.ThreadPoolExecutor(max(1, len(told["names"])))
    names = await asyncio.gather(*(loop.run_in_executor(pool, resolve, name) for name in told["names"]))
    doors = await asyncio.gather(*(knock(*door) for door in told["doors"]))
    print(json.dumps({
        "names": dict(zip(told["names"], names)),
        "doors": [[*door, answer] for door, answer in zip(told["doors"], doors)],
    }))

asyncio.run(main())
"""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Addresses by name; `open`, `refused` or `silent` by (address, port)."""

    names: dict[str, list[str]]
    doors: dict[tuple[str, int], str]


# Each waits for what does not answer, and takes next to no processor meanwhile.
AT_ONCE = 8


def reaches(
    objects: Objects, tenant: str, names: Iterable[str] = (), doors: Iterable[tuple[str, int]] = ()
) -> dict[str, Reach]:
    """What each running service of a portal can reach, some of them asked at the same time."""
    containers = objects.containers(tenant, jobs=False)
    asked = partial(reach, objects, names=tuple(names), doors=tuple(doors))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(asked, [told["Id"] for told in containers.values()])
        return dict(zip(containers, found, strict=True))


def reach(
    objects: Objects, container: str, names: Iterable[str] = (), doors: Iterable[tuple[str, int]] = ()
) -> Reach:
    """Resolve the names and knock at the doors from inside the container's network."""
    told: dict[str, Any] = objects.beside(
        container, SCRIPT, json.dumps({"names": sorted(names), "doors": sorted(doors)})
    )
    return Reach(
        names=told["names"],
        doors={(address, port): answer for address, port, answer in told["doors"]},
    )
