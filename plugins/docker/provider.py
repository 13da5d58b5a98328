"""The docker plugin: which types it serves, under which version, and the provider's own settings."""

import asyncio
import contextlib
from collections.abc import Mapping

from plugins.docker.container.container import Container
from plugins.docker.engine import Engine
from plugins.docker.image import RemoteImage
from plugins.docker.network import Network
from plugins.docker.property_builders import flag, records, text, unserved
from plugins.docker.volume import Volume
from plugins.provider import Provider
from plugins.schema import Type
from plugins.values import Plain

VERSION = "5.1.0"

ABANDONED_SECONDS = 4
"""How long the plugin may take to clean up at its end; the CLI kills it after 5."""

SETTINGS = Type(
    name="pulumi:providers:docker",
    properties=(
        text("host"),
        records(
            "registryAuth",
            text("address", required=True),
            flag("authDisabled"),
            unserved("configFile"),
            unserved("configFileContent"),
            text("password"),
            text("username"),
        ),
        flag("disableDockerDaemonCheck"),
        *(unserved(name) for name in ("caMaterial", "certMaterial", "certPath", "context", "keyMaterial")),
        unserved("sshOpts"),
    ),
)


class DockerProvider(Provider):
    """The provider of the docker package, on one engine."""

    def __init__(self) -> None:
        self.engine = Engine()
        served = (Container(self.engine), Network(self.engine), Volume(self.engine), RemoteImage(self.engine))
        super().__init__("docker", served, SETTINGS)

    def set_up(self, settings: Mapping[str, Plain]) -> None:
        """Take the engine's address and the registries' passwords; nobody is asked yet."""
        host = settings.get("host")
        if isinstance(host, str) and host:
            self.engine.host = host
        self.engine.credentials = {
            each["address"].removeprefix("https://"): {
                "username": each.get("username", ""),
                "password": each.get("password", ""),
            }
            for each in _known(settings.get("registryAuth"))
            if not each.get("authDisabled")
        }

    async def cancel(self) -> None:
        """End every wait; each then raises Cancelled."""
        self.engine.cancelled.set()

    async def abandoned(self) -> None:
        """Remove what was made and could not be told any more, within a few seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.engine.clean_up(), ABANDONED_SECONDS)


def _known(data: Plain) -> list[Mapping[str, Plain]]:
    return [each for each in data if isinstance(each, Mapping)] if isinstance(data, list) else []
