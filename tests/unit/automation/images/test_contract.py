"""What is found of an openedx image that is built elsewhere, judged point by point; what an image says decides nothing else."""

import json
from dataclasses import replace
from typing import Any

import pytest

from automation.images.contract import (
    STATIC_FILES,
    Check,
    InspectedImage,
    ProbeResult,
    broken,
    judge,
    parse,
    release_line,
)

RELEASES = ("juniper", "redwood", "verawood")
TOLD: dict[str, Any] = {
    "python": [3, 8, 18],
    "libc": "glibc 2.31",
    "programs": {"python": True, "uwsgi": True, "celery": True, "bash": True},
    "sockets": True,
    "readable": {"manage.py": True, "openedx/core/djangoapps/heartbeat": True},
    "loaded": {"django": "", "lms.envs.common": "", "cms.envs.common": ""},
}
GOOD = InspectedImage(
    os="linux",
    architecture="amd64",
    machine="amd64",
    paths=STATIC_FILES,
    release_file='RELEASE_LINE = "redwood"\n',
    probe=parse(json.dumps(TOLD).encode()),
)


def with_probe(**changed: Any) -> InspectedImage:
    """The good image, whose own Python says something else."""
    return replace(GOOD, probe=parse(json.dumps(TOLD | changed).encode()))


def test_a_good_image_keeps_every_point() -> None:
    checks = judge(GOOD, RELEASES, "redwood")
    assert broken(checks) == []
    assert [each.name for each in checks] == [
        "platform", "build", "python", "programs", "system", "health", "code", "settings", "static files", "release",
    ]  # fmt: skip
    assert all(each.ok for each in checks)
    assert not any(each.remedy for each in checks)


@pytest.mark.parametrize(
    ("image", "name", "words"),
    [
        (replace(GOOD, architecture="arm64"), "platform", "linux/arm64"),
        (replace(GOOD, os="windows"), "platform", "windows/amd64"),
        (replace(GOOD, volumes=["/openedx/media"]), "build", "VOLUME /openedx/media"),
        (replace(GOOD, volumes=["/openedx"]), "build", "VOLUME /openedx"),
        (replace(GOOD, volumes=["/"]), "build", "VOLUME /"),
        (replace(GOOD, volumes=["/openedx/config/more"]), "build", "VOLUME /openedx/config/more"),
        (replace(GOOD, triggers=["RUN id"]), "build", "ONBUILD RUN id"),
        (with_probe(python=[3, 4, 9]), "python", "3.4.9"),
        (with_probe(python=[2, 7, 18]), "python", "2.7.18"),
        (with_probe(programs=TOLD["programs"] | {"uwsgi": False}), "programs", "without uwsgi"),
        (with_probe(programs={}), "programs", "all"),
        (with_probe(libc="glibc 2.28"), "system", "glibc 2.28"),
        (with_probe(libc=""), "system", "no glibc"),
        (with_probe(libc="musl 1.2"), "system", "no glibc"),
        (with_probe(sockets=False), "health", "bash opens no socket"),
        (
            with_probe(readable={"manage.py": True, "openedx/core/djangoapps/heartbeat": False}),
            "health",
            "no heartbeat",
        ),
        (
            with_probe(readable=TOLD["readable"] | {"manage.py": False}),
            "code",
            "user 1000 cannot read manage.py",
        ),
        (with_probe(readable={}), "code", "readable"),
        (
            with_probe(loaded=TOLD["loaded"] | {"lms.envs.common": "ImportError: No module named 'x'"}),
            "settings",
            "lms.envs.common: ImportError: No module named 'x'",
        ),
        (with_probe(loaded={}), "settings", "imported"),
        (replace(GOOD, paths=STATIC_FILES[:1]), "static files", "without /openedx/staticfiles/studio"),
        (replace(GOOD, release_file="RELEASE_LINE = 'verawood'"), "release", "verawood"),
        (replace(GOOD, release_file="RELEASE_LINE = 'palm'"), "release", "palm"),
    ],
)
def test_a_point_that_is_not_kept_says_what_was_found_and_what_to_do(
    image: InspectedImage, name: str, words: str
) -> None:
    first = {each.name: each for each in broken(judge(image, RELEASES, "redwood"))}[name]
    assert words in first.found
    assert first.expected
    assert first.remedy


@pytest.mark.parametrize("volume", ["/data", "/openedx/edx-platform-more", "/openedx/medias", "/tmp"])
def test_a_volume_elsewhere_is_none_of_ours(volume: str) -> None:
    assert broken(judge(replace(GOOD, volumes=[volume]), RELEASES)) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('RELEASE_LINE = "redwood"', "redwood"),
        ("# x\nRELEASE_LINE = 'master'  # until the next one\n", "master"),
        ('    RELEASE_LINE = "inner"\n', ""),
        (f'RELEASE_LINE = "{"x" * 41}"', ""),
        ('RELEASE_LINE = "\x1b[2J"', ""),
        ("", ""),
    ],
)
def test_the_release_is_read_and_not_run(text: str, line: str) -> None:
    assert release_line(text) == line


def release(image: InspectedImage, release_name: str = "") -> Check:
    return judge(image, RELEASES, release_name)[-1]


def test_a_release_that_nobody_can_tell_is_no_fault() -> None:
    for text in ("RELEASE_LINE = 'master'", ""):
        assert release(replace(GOOD, release_file=text), "redwood").ok is None
    assert release(GOOD).ok
    assert release(GOOD, "verawood").ok is False


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\x1b[2J\x1b]0;owned\x07",
        b"one\ntwo\n",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"python": [3, 8], "libc": 7}',
        json.dumps(TOLD | {"python": "3.8"}).encode(),
        json.dumps(TOLD | {"python": [3, -1, 0]}).encode(),
        json.dumps(TOLD | {"python": [True]}).encode(),
        json.dumps(TOLD | {"programs": ["uwsgi"]}).encode(),
        json.dumps(TOLD | {"loaded": {"lms": 7}}).encode(),
        json.dumps(TOLD | {"programs": {str(each): True for each in range(41)}}).encode(),
    ],
)
def test_an_answer_that_is_none_is_told_and_not_taken(output: bytes) -> None:
    result = parse(output)
    assert result.failure
    assert result == ProbeResult(failure=result.failure)
    assert result.failure.isprintable()
    assert len(result.failure) < 600
    (python,) = (each for each in judge(replace(GOOD, probe=result), RELEASES) if each.name == "python")
    assert python.ok is False
    assert python.found == result.failure


def test_what_an_image_says_is_cut_and_written_out() -> None:
    hostile = f"\x1b[31m{'x' * 5000}\n::error::"
    image = with_probe(
        loaded={"lms.envs.common": hostile}, programs={hostile: False}, readable={hostile: False}
    )
    for each in broken(judge(image, RELEASES)):
        assert each.found.isprintable()
        assert len(each.found) < 400
