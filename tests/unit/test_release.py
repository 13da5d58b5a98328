"""Releases: what is read of them, and what is said of bad ones (tests/unit/data/bad-releases.txt)."""

import shutil
from pathlib import Path

import pytest

from config import names
from config.errors import ConfigError
from config.release import Release, Releases, ReleaseService
from tests.unit.bad_files import DATA, Bad, releases

CONFIG = Path(__file__).parents[2] / "config"
TABLE = releases()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "config" / "releases"
    made.mkdir(parents=True)
    return made


@pytest.mark.parametrize("bad", TABLE, ids=[each.title for each in TABLE])
def test_a_bad_file_is_refused_in_these_words(bad: Bad, folder: Path) -> None:
    (folder / "good.yml").write_bytes(bad.data)
    with pytest.raises(ConfigError) as caught:
        Release.load("good", folder)
    assert list(caught.value.findings) == bad.findings


def test_a_good_file_gives_its_services() -> None:
    release = Release.load("good", DATA / "releases")
    assert (release.name, release.title) == ("good", "Good (June 2024)")
    assert release.services["mysql"] == ReleaseService(
        version="8.4.0",
        image="mysql",
        group="data",
        port=3306,
        user=1999,
        memory=512,
        memory_min=256,
        workers=0,
        grace_seconds=120,
        data=("mysql",),
    )
    assert list(release.services) == ["mysql", "lms"]


def test_nobody_can_change_it() -> None:
    release = Release.load("good", DATA / "releases")
    with pytest.raises(TypeError):
        del release.services["lms"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", sorted((CONFIG / "releases").glob("*.yml")), ids=lambda path: path.stem)
def test_the_repo_s_own_releases_are_good(path: Path) -> None:
    release = Release.load(path.stem, CONFIG / "releases")
    assert release.name == path.stem
    owned = [directory for each in release.services.values() for directory in each.data]
    assert sorted(owned) == sorted(set(owned))
    assert set(release.services) <= names.SERVICES
    assert set(release.follows) < set(Releases(CONFIG / "releases").known())
    for name, each in release.services.items():
        # Ours alone in every release: the mailer and what keeps a demo's mails.
        if not each.hub.image:
            assert name in ("mailer", "mail-sink")
            continue
        assert each.hub.image.rpartition(":")[2].lstrip("v").startswith(each.version), name


def test_redwood_is_what_the_article_s_portal_had() -> None:
    services = Release.load("redwood", CONFIG / "releases").services
    by_group = {
        group: sorted(name for name, each in services.items() if each.group == group)
        for group in ("data", "openedx", "support")
    }
    assert by_group == {
        "data": ["elasticsearch", "memcached", "mongo", "mysql", "redis"],
        "openedx": ["cms", "forum", "lms", "nginx", "rabbitmq"],
        "support": ["cms-workers", "lms-workers", "load-balancer", "mail-sink", "mailer"],
    }
    assert {name for name, each in services.items() if each.workers} == {
        "lms",
        "cms",
        "lms-workers",
        "cms-workers",
    }
    assert len({each.user for name, each in services.items() if each.image != "openedx-standin"}) == 11
    for name, each in services.items():
        assert each.grace_seconds >= 30, name
        assert each.data == () or name == "lms" or each.data == (name,), name


def test_a_folder_s_releases_are_read_once_and_by_name(folder: Path) -> None:
    shutil.copy(DATA / "releases" / "good.yml", folder)
    found = Releases(folder)
    assert found.known() == ["good"]
    assert found.load("good") is found.load("good")
    with pytest.raises(ValueError, match=r"^'goood' is no release; did you mean 'good'\? there are: good$"):
        found.load("goood")
    (folder / "bad.yml").write_text("title: Bad")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"config/releases/bad\.yml: services: is missing"):
            found.load("bad")


def test_a_release_that_does_not_exist(folder: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"config/releases/none\.yml: cannot be read: No such file or directory"
    ):
        Release.load("none", folder)
