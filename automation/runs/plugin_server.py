"""The repo's own plugins, served by this process: no Python has to start for each run and plugin.

The CLI attaches to a provider that runs already, at the port that PULUMI_DEBUG_PROVIDERS names for its package. The plugin
for docker is attached to where nothing is made: in a preview that asks no engine, and in a destroy on one engine. Elsewhere
it is a process, as it is for the plain CLI: one for each engine, and one that outlives a killed CLI and tidies up behind it.
"""

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from automation.runs import drift
from config.portal.resource_types import DOCKER_PROVIDER
from plugins import serving
from plugins.docker.provider import VERSION as DOCKER_VERSION
from plugins.docker.provider import DockerProvider
from plugins.random.provider import VERSION as RANDOM_VERSION
from plugins.random.provider import random_provider
from toolchain.parts.plugins import is_ours, program

# https://github.com/pulumi/pulumi/blob/v3.256.0/sdk/go/common/resource/plugin/provider_plugin.go#L146
VARIABLE = "PULUMI_DEBUG_PROVIDERS"
PLUGINS = {"docker": (DOCKER_VERSION, DockerProvider), "random": (RANDOM_VERSION, random_provider)}
# Asks nobody and has no settings: attached to in every run.
HARMLESS = ("random",)
# A port of this machine is there at once; what takes longer is a machine that is out of something.
LIMIT_SECONDS = 60.0


def plugins_for_destroy(state: Mapping[str, Any]) -> tuple[str, ...]:
    """The plugins to attach to while what a state has is removed: docker's serves one engine, and a move knows two."""
    engines = [each for each in drift.resources(state) if each["type"] == DOCKER_PROVIDER]
    return tuple(PLUGINS) if len(engines) == 1 else HARMLESS


@contextmanager
def serve_plugins(home: Path, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Serve those of `names` that are the repo's own in the Pulumi home `home`; what tells the CLI, as environment.

    Raises TimeoutError.
    """
    # Somebody who debugs a provider has said already which.
    ours = [] if VARIABLE in os.environ else [each for each in names if is_own(home, each)]
    ports: Future[dict[str, int]] = Future()
    over = threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(serve(ours, ports, over),), daemon=True)
    thread.start()
    try:
        addresses = ports.result(LIMIT_SECONDS)
        yield {VARIABLE: ",".join(f"{name}:{port}" for name, port in addresses.items())} if addresses else {}
    finally:
        over.set()
        thread.join(LIMIT_SECONDS)


def is_own(home: Path, name: str) -> bool:
    """Whether the plugin that the CLI would start is the repo's own."""
    with suppress(FileNotFoundError):
        return is_ours(program(home, name, PLUGINS[name][0]))
    return False


async def serve(names: Sequence[str], ports: "Future[dict[str, int]]", over: threading.Event) -> None:
    """Serve each on a port of the loopback address until `over` is set."""
    servers = []
    try:
        bound_ports = {}
        for name in names:
            version, provider = PLUGINS[name]
            server, bound_ports[name] = await serving.listening(version, provider())
            servers.append(server)
        ports.set_result(bound_ports)
    except BaseException as error:  # noqa: BLE001 (whoever waits for the ports is told)
        ports.set_exception(error)
    await asyncio.to_thread(over.wait)
    for each in servers:
        await each.stop(None)
