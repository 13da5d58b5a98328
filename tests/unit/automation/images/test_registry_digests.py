"""What registries are asked, and what is said of those that do not answer as they should."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, DockerException
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout

from automation.images import registry_digests

DIGEST = f"sha256:{'a' * 64}"
IMAGE = "docker.io/library/redis:7.4.10"


def client(answer: Callable[[str], Any]) -> Any:
    return SimpleNamespace(timeout=6.0, inspect_distribution=answer)


def descriptor(digest: Any) -> Any:
    return {"Descriptor": {"digest": digest}}


def raising(error: Exception) -> Callable[[str], Any]:
    def answer(place: str) -> Any:
        raise error

    return answer


def test_every_image_is_asked_for_where_it_is_taken_from() -> None:
    images: list[str] = []

    def answer(place: str) -> Any:
        images.append(place)
        return descriptor(DIGEST)

    places = {IMAGE: "127.0.0.1:5000/library/redis:7.4.10", "b/c:1": "b/c:1"}
    refusals = registry_digests.ask_registries(client(answer), places, pytest.fail)
    assert sorted(images) == sorted(places.values())
    assert refusals.digests == dict.fromkeys(places, DIGEST)
    assert refusals.why_unavailable == ""


def test_nobody_is_asked_for_nothing() -> None:
    assert registry_digests.ask_registries(None, {}, pytest.fail) == registry_digests.RegistryAnswers()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (raising(APIError("x", explanation="manifest unknown")), "manifest unknown"),
        (raising(APIError("x", explanation="unauthorized\x1b[2J\nnext")), "unauthorized\\x1b[2J\\nnext"),
        (raising(APIError("x", explanation="<" * 9000)), "<" * 200 + "…"),
        (raising(ReadTimeout("read")), "no answer within 6 s"),
        (raising(NoConnection("gone")), "the engine did not answer: gone"),
        (raising(DockerException("odd")), "the engine did not answer: odd"),
        (
            lambda place: descriptor("latest"),
            "this is not the answer of a registry: 'latest' is not a digest",
        ),
        (lambda place: {}, "this is not the answer of a registry: 'Descriptor'"),
        (lambda place: [], "this is not the answer of a registry: list indices"),
    ],
)
def test_why_an_image_cannot_be_had_is_one_line(answer: Callable[[str], Any], reason: str) -> None:
    refusals = registry_digests.ask_registries(client(answer), {IMAGE: IMAGE, "b/c:1": "b/c:1"}, pytest.fail)
    assert refusals.digests == {}
    assert refusals.why_unavailable.startswith(f"{IMAGE}: {reason}")
    assert refusals.why_unavailable.endswith(" (and 1 more image)")
    assert "\n" not in refusals.why_unavailable


def test_who_waits_for_long_is_told_for_what(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once: each has to wait until every other was asked, too."""
    monkeypatch.setattr(registry_digests, "SILENCE_SECONDS", 0.05)
    together, waiting, messages = threading.Barrier(4, timeout=10), threading.Event(), list[str]()

    def answer(place: str) -> Any:
        together.wait()
        assert waiting.wait(timeout=10)
        return descriptor(DIGEST)

    def say(text: str) -> None:
        messages.append(text)
        waiting.set()

    places = {each: each for each in ("a.io/1:1", "a.io/2:1", "b.io/3:1", "b.io/4:1")}
    assert registry_digests.ask_registries(client(answer), places, say).why_unavailable == ""
    assert messages == ["asking a.io, b.io for the public images, at most 6 s"]
