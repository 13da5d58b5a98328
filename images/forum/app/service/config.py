"""The service's configuration: stores from the environment (names of the public forum images), secrets from files."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

SECRETS = Path("/run/secrets")


class ConfigError(Exception):
    """A variable or a secret is missing or wrong."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The addresses and accounts of the stores, and the key of the callers."""

    mongo_host: str
    mongo_port: int
    mongo_database: str
    mongo_user: str
    mongo_auth_database: str
    mongo_password: str = field(repr=False)
    search_host: str
    search_port: int
    search_user: str
    search_password: str = field(repr=False)
    api_key: str = field(repr=False)


def load(env: Mapping[str, str], secrets: Path = SECRETS) -> Config:
    """The configuration. Raises ConfigError with one line that says what is wrong."""
    search = env.get("SEARCH_SERVER") or "http://elasticsearch:9200"
    try:
        url = urlsplit(search)
        search_port = url.port or 9200
    except ValueError as error:
        raise ConfigError(
            f"SEARCH_SERVER is '{search}': {error}, expected as http://elasticsearch:9200"
        ) from error
    if url.scheme != "http" or not url.hostname:
        raise ConfigError(f"SEARCH_SERVER is '{search}', expected as http://elasticsearch:9200")
    port = env.get("MONGODB_PORT") or "27017"
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError(f"MONGODB_PORT is '{port}', expected as 27017")
    return Config(
        mongo_host=env.get("MONGODB_HOST") or "mongo",
        mongo_port=int(port),
        mongo_database=env.get("MONGODB_DATABASE") or "cs_comments_service",
        mongo_user=env.get("MONGODB_USERNAME") or "openedx",
        mongo_auth_database=env.get("MONGODB_AUTH_DATABASE") or "openedx",
        mongo_password=secret(secrets / "mongo-password"),
        search_host=url.hostname,
        search_port=search_port,
        search_user=env.get("SEARCH_USERNAME") or "elastic",
        search_password=secret(secrets / "search-password"),
        api_key=secret(secrets / "forum-api-key"),
    )


def secret(file: Path) -> str:
    """The text of a secret's file, never empty. Raises ConfigError."""
    try:
        text = file.read_text().strip()
    except OSError as error:
        raise ConfigError(f"the secret {file} cannot be read: {error.strerror}") from error
    if not text:
        raise ConfigError(f"the secret {file} is empty")
    return text


def main() -> int:
    """0, or 1 and a line that says what is wrong; runs before anything large is loaded."""
    try:
        load(os.environ)
    except ConfigError as error:
        print(f"forum: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
