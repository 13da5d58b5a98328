"""A portal's generated passwords: born secret, handed on as files."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pulumi_random as random
from pulumi import ComponentResource, Output, ResourceOptions

FOLDER = "/run/secrets"
LENGTH = 32
# Each with the service without which a portal does not have it.
NAMES = {
    "admin-password": "lms",
    "cms-sso-secret": "lms",
    "edxapp-secret-key": "lms",
    "forum-api-key": "forum",
    "jwt-signing-seed": "lms",
    "meilisearch-master-key": "meilisearch",
    "mongo-password": "mongo",
    "mysql-edxapp-password": "mysql",
    "mysql-root-password": "mysql",
    "rabbitmq-password": "rabbitmq",
    "redis-password": "redis",
    "search-password": "elasticsearch",
}
# Edx-platform's own: the stand-in has no such thing.
REAL = frozenset(("jwt-signing-seed",))


def names(services: Collection[str], *, real: bool) -> tuple[str, ...]:
    """The secrets of a portal that has these services; `real` where they are edx-platform's own."""
    return tuple(
        each for each, service in NAMES.items() if service in services and (real or each not in REAL)
    )


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    """`names` are those of the files below /run/secrets/; docs/images.md says which service reads which."""

    names: tuple[str, ...]


class Secrets(ComponentResource):
    """One RandomPassword a name. The data stores take a new one at their next start, so none is ever stale."""

    def __init__(self, name: str, args: SecretsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:Secrets", name, None, opts)
        # Letters and digits only: these land in YAML, SQL, URLs and configuration files of six programs.
        self.values: Mapping[str, Output[str]] = {
            each: random.RandomPassword(
                each, length=LENGTH, special=False, opts=ResourceOptions(parent=self)
            ).result
            for each in args.names
        }
        self.register_outputs({})

    def files(self, *names: str) -> dict[str, Output[str]]:
        """Those of the named secrets that this portal has, by the path at which a container reads them."""
        return {
            f"{FOLDER}/{each}": self.values[each] for each in names if NAMES[each] and each in self.values
        }
