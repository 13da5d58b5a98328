"""Releases: what is read of them, and what is said of bad ones (tests/unit/config/data/bad-releases.txt)."""

import re
import shutil
from pathlib import Path

import pytest

from config.reading.errors import ConfigError
from config.releases.public_images import from_mirror
from config.releases.release import Release, Releases, ReleaseService
from config.values import names
from tests.unit.config.bad_files import DATA, Bad, releases

CONFIG = Path(__file__).parents[4] / "config"
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
        # Ours alone in every release: the way in, the mailer and what keeps a demo's mails.
        if not each.hub.image:
            assert name in ("load-balancer", "mailer", "mail-sink")
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
        "openedx": ["cms", "forum", "lms", "mfe", "nginx", "rabbitmq"],
        "support": ["cms-workers", "lms-workers", "load-balancer", "mail-sink", "mailer"],
    }
    assert {name for name, each in services.items() if each.workers} == {
        "lms",
        "cms",
        "lms-workers",
        "cms-workers",
    }
    assert len({each.user for each in services.values() if each.image not in ("", "openedx-standin")}) == 11
    for name, each in services.items():
        assert each.grace_seconds >= 30, name
        assert each.data == () or name == "lms" or each.data == (name,), name


def test_a_folder_s_releases_are_read_once_and_by_name(folder: Path) -> None:
    shutil.copy(DATA / "releases" / "good.yml", folder)
    releases = Releases(folder)
    assert releases.known() == ["good"]
    assert releases.load("good") is releases.load("good")
    with pytest.raises(
        ValueError, match=r"^'goood' is not a release; did you mean 'good'\? there are: good$"
    ):
        releases.load("goood")
    (folder / "bad.yml").write_text("title: Bad")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"config/releases/bad\.yml: services: is missing"):
            releases.load("bad")


def test_a_release_that_does_not_exist(folder: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"config/releases/none\.yml: cannot be read: No such file or directory"
    ):
        Release.load("none", folder)


# Debian's people have up to 59999; systemd homes, greeters and dynamic services have 60001 to 60705 and 61184 to 65519.
# https://systemd.io/UIDS-GIDS/ https://www.debian.org/doc/debian-policy/ch-opersys.html#uid-and-gid-classes
OURS = range(60900, 61100)


@pytest.mark.parametrize("path", sorted((CONFIG / "releases").glob("*.yml")), ids=lambda path: path.stem)
def test_images_built_here_run_as_nobody_that_a_host_has(path: Path) -> None:
    release = Release.load(path.stem, CONFIG / "releases")
    users = {service: service_facts.user for service, service_facts in release.services.items()}
    assert all(each in OURS for each in users.values()), users
    by_image: dict[str, set[int]] = {}
    for service_facts in release.services.values():
        if service_facts.image:
            by_image.setdefault(service_facts.image, set()).add(service_facts.user)
    assert all(len(each) == 1 for each in by_image.values())
    numbers = [user for each in by_image.values() for user in each]
    assert len(numbers) == len(set(numbers)), "two images share a user"
    # A public image keeps its own: what it holds belongs to that one.
    kept = {
        service
        for service, service_facts in release.services.items()
        if service_facts.hub.image and not service_facts.hub.user
    }
    assert kept == set()
    for image, user in by_image.items():
        text = (CONFIG.parent / "images" / image / "Dockerfile").read_text()
        (number,) = user
        assert f"\nUSER {number}:{number}\n" in text


def test_no_other_user_is_written_anywhere_in_an_image_built_here() -> None:
    """Owners in Dockerfiles and in words to an operator are those that the release says."""
    loose = {}
    for role in {each.parent for each in (CONFIG.parent / "images").glob("*/image.yml")}:
        for path in (role / "Dockerfile", role / "entry", role / "entrypoint"):
            if path.is_file():
                text = path.read_text()
                uids = re.findall(r"(?:--[ug]id[ =]|USER |chown |owner |--reu?id=|--regid=)(\d+)", text)
                wrong = {each for each in uids if each != "0" and int(each) not in OURS}
                if wrong:
                    loose[path.name, role.name] = wrong
    assert loose == {}


def test_a_mirror_has_docker_io_s_images_and_the_digests_stay() -> None:
    """Of another registry nothing is taken from a mirror; pins are by the release's own names."""
    images = Releases(CONFIG / "releases", {}).load("verawood").public()
    digests = {each: f"sha256:{number:064x}" for number, each in enumerate(images)}
    release = Release.load("verawood", CONFIG / "releases", digests, "127.0.0.1:5000/hub")
    redis = release.services["redis"].hub
    assert redis.pinned == f"127.0.0.1:5000/hub/library/redis:7.4.10@{digests[redis.image]}"
    assert (
        release.pinned_python
        == f"127.0.0.1:5000/hub/library/python:3.11.9-slim-bullseye@{digests[release.python]}"
    )
    assert release.public() == images
    assert from_mirror("quay.io/x/y:1", "127.0.0.1:5000") == "quay.io/x/y:1"
    assert from_mirror("docker.io/x/y:1", "") == "docker.io/x/y:1"
