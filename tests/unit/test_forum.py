"""What the forum is told: stores by environment, the key as a file; without Django."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "images/forum/app"))
from service import config

sys.path.pop(0)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "forum-api-key"
    file.write_text("secret")
    return file


def test_what_is_not_said_has_its_default(key: Path) -> None:
    assert config.load({}, key) == config.Config(
        mongo_host="mongo",
        mongo_port=27017,
        mongo_database="cs_comments_service",
        search_host="elasticsearch",
        search_port=9200,
        api_key="secret",
    )


def test_what_is_said(key: Path) -> None:
    told = config.load(
        {
            "MONGODB_HOST": "m",
            "MONGODB_PORT": "27018",
            "MONGODB_DATABASE": "forum",
            "SEARCH_SERVER": "http://s:9201",
        },
        key,
    )
    assert (told.mongo_host, told.mongo_port, told.mongo_database) == ("m", 27018, "forum")
    assert (told.search_host, told.search_port) == ("s", 9201)


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
def test_what_is_wrong_is_named(key: Path, env: dict[str, str], finding: str) -> None:
    with pytest.raises(config.ConfigError) as error:
        config.load(env, key)
    assert str(error.value).startswith(finding)


def test_a_key_that_is_missing_or_empty(key: Path) -> None:
    key.write_text("\n")
    with pytest.raises(config.ConfigError, match=r"the secret .*forum-api-key is empty"):
        config.load({}, key)
    key.unlink()
    with pytest.raises(config.ConfigError, match=r"the secret .*forum-api-key cannot be read: No such file"):
        config.load({}, key)
