"""The random plugin: which types it serves, and under which version."""

from plugins.provider import Provider
from plugins.random.numbers import RandomBytes, RandomId, RandomUuid
from plugins.random.text import PASSWORD, STRING, RandomText
from plugins.schema import Type

VERSION = "4.21.1"

SETTINGS = Type(name="pulumi:providers:random", properties=())


def random_provider() -> Provider:
    """Return the provider of the random package."""
    resources = (RandomText(PASSWORD), RandomText(STRING), RandomId(), RandomBytes(), RandomUuid())
    return Provider("random", resources, SETTINGS)
