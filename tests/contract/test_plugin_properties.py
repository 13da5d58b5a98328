"""Every property of the official SDKs is known to our plugins: served, or refused by name."""

import inspect
import re

import pulumi_docker
import pulumi_random
import pytest

from plugins.docker.container.properties import CONTAINER
from plugins.docker.image import IMAGE
from plugins.docker.network import NETWORK
from plugins.docker.provider import SETTINGS
from plugins.docker.volume import VOLUME
from plugins.random.numbers import RandomBytes, RandomId, RandomUuid
from plugins.random.text import PASSWORD, STRING
from plugins.schema import Property, Type

# --- everything the SDK knows is served or refused -------------------------------------------------


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(each.title() for each in tail)


def arguments_of(sdk: type) -> dict[str, str]:
    """The SDK's arguments of a resource or of an object inside it, with their types as text."""
    source = inspect.getsource(vars(sdk)["__init__"])
    return dict(re.findall(r"^ {17}(\w+): ([^\n]+?)(?: = None)?[,)]", source, re.MULTILINE))


def unknown_properties(sdk: type, known: tuple[Property, ...], path: str) -> list[str]:
    names = {each.name: each for each in known}
    lines = []
    for name, annotation in arguments_of(sdk).items():
        key = camel(name)
        if key not in names:
            lines.append(f"{path}.{key}")
            continue
        nested = re.search(r"'(\w+Args)'", annotation)
        members = names[key].items or names[key]
        if nested and members.served:
            lines += unknown_properties(getattr(pulumi_docker, nested[1]), members.fields, f"{path}.{key}")
    return lines


@pytest.mark.parametrize(
    ("sdk", "served"),
    [
        (pulumi_docker.container.ContainerArgs, CONTAINER),
        (pulumi_docker.network.NetworkArgs, NETWORK),
        (pulumi_docker.volume.VolumeArgs, VOLUME),
        (pulumi_docker.remote_image.RemoteImageArgs, IMAGE),
        (pulumi_docker.provider.ProviderArgs, SETTINGS),
        (pulumi_random.random_password.RandomPasswordArgs, PASSWORD),
        (pulumi_random.random_string.RandomStringArgs, STRING),
        (pulumi_random.random_id.RandomIdArgs, RandomId.type),
        (pulumi_random.random_bytes.RandomBytesArgs, RandomBytes.type),
        (pulumi_random.random_uuid.RandomUuidArgs, RandomUuid.type),
    ],
)
def test_every_property_of_the_sdk_is_known(sdk: type, served: Type) -> None:
    assert arguments_of(sdk)
    assert unknown_properties(sdk, served.properties, "") == []
