"""A portal's generated passwords: born secret, handed on as files."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_random as random
from pulumi import ComponentResource, Output, ResourceOptions

FOLDER = "/run/secrets"
LENGTH = 32
NAMES = (
    "admin-password",
    "cms-sso-secret",
    "edxapp-secret-key",
    "forum-api-key",
    "mysql-edxapp-password",
    "mysql-root-password",
    "rabbitmq-password",
    "redis-password",
)


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    names: tuple[str, ...] = NAMES


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
        """The named secrets by the path at which a container reads them."""
        return {f"{FOLDER}/{each}": self.values[each] for each in names}
