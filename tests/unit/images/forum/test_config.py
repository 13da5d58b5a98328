"""What the forum is told: stores by environment, key and passwords as files; without Django."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "images/forum/app"))
from service import config

sys.path.pop(0)

NAMES = ("forum-api-key", "mongo-password", "search-password")


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).write_text(f"{name}'s\n")
    return tmp_path


def test_what_is_not_said_has_its_default(secrets: Path) -> None:
    assert config.load({}, secrets) == config.Config(
        mongo_host="mongo",
        mongo_port=27017,
        mongo_database="cs_comments_service",
        mongo_user="openedx",
        mongo_auth_database="openedx",
        mongo_password="mongo-password's",
        search_host="elasticsearch",
        search_port=9200,
        search_user="elastic",
        search_password="search-password's",
        api_key="forum-api-key's",
    )


def test_what_is_said(secrets: Path) -> None:
    settings = config.load(
        {
            "MONGODB_HOST": "m",
            "MONGODB_PORT": "27018",
            "MONGODB_DATABASE": "forum",
            "SEARCH_SERVER": "http://s:9201",
        },
        secrets,
    )
    assert (settings.mongo_host, settings.mongo_port, settings.mongo_database) == ("m", 27018, "forum")
    assert (settings.search_host, settings.search_port) == ("s", 9201)


@pytest.mark.parametrize(
    ("env", "finding"),
    [
        ({"MONGODB_PORT": "x"}, "MONGODB_PORT is 'x', expected as 27017"),
        ({"MONGODB_PORT": "0"}, "MONGODB_PORT is '0', expected as 27017"),
        ({"MONGODB_PORT": "²"}, "MONGODB_PORT is '²', expected as 27017"),
        (
            {"SEARCH_SERVER": "elasticsearch"},
            "SEARCH_SERVER is 'elasticsearch', expected as http://elasticsearch:9200",
        ),
        ({"SEARCH_SERVER": "http://s:port"}, "SEARCH_SERVER is 'http://s:port': Port could not be cast"),
    ],
)
def test_what_is_wrong_is_named(secrets: Path, env: dict[str, str], finding: str) -> None:
    with pytest.raises(config.ConfigError) as error:
        config.load(env, secrets)
    assert str(error.value).startswith(finding)


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_that_is_missing_or_empty(secrets: Path, name: str) -> None:
    (secrets / name).write_text("\n")
    with pytest.raises(config.ConfigError, match=rf"the secret .*{name} is empty"):
        config.load({}, secrets)
    (secrets / name).unlink()
    with pytest.raises(config.ConfigError, match=rf"the secret .*{name} cannot be read: No such file"):
        config.load({}, secrets)


def test_no_secret_shows(secrets: Path) -> None:
    assert not any(f"{name}'s" in repr(config.load({}, secrets)) for name in NAMES)
