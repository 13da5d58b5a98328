"""Whether two addresses are one engine's: the texts, what engines say, and what is not known."""

from collections.abc import Callable
from pathlib import Path

import pytest

from automation.portals.engine_identity import EngineObjects, Sameness, address_change, compare, ids
from automation.review.change_rules import DataRisk
from automation.review.verdict import judge
from automation.runs.plan import Change, Plan
from config.portal.resource_types import DOCKER_PROVIDER
from config.values import placement

SOCKET = "unix:///var/run/docker.sock"


def plain(path: str) -> str:
    """A file system without a symbolic link."""
    return path


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", SOCKET),
        ("", "unix:///run/docker.sock"),
        ("unix:///run/docker.sock", SOCKET),
        (SOCKET + "/", SOCKET),
        ("tcp://localhost:2375", "tcp://127.0.0.1:2375"),
        ("tcp://127.0.0.1:2375/", "tcp://127.0.0.1:2375"),
        ("tcp://Docker1.example:2376", "tcp://docker1.example:2376"),
        ("ssh://ops@docker1.example:22", "ssh://ops@docker1.example"),
    ],
)
def test_words_for_the_same_address(one: str, other: str) -> None:
    assert placement.canonical(one, plain) == placement.canonical(other, plain)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", "unix:///run/user/1000/docker.sock"),
        ("", "tcp://127.0.0.1:2375"),
        ("tcp://localhost.example:2375", "tcp://127.0.0.1.example:2375"),
        ("ssh://ops@docker1", "ssh://root@docker1"),
        ("ssh://docker1:2222", "ssh://docker1"),
    ],
)
def test_words_that_may_be_two_engines(one: str, other: str) -> None:
    assert placement.canonical(one, plain) != placement.canonical(other, plain)


def test_a_link_to_the_local_socket_is_the_local_socket(tmp_path: Path) -> None:
    links = {"/home/ops/docker.sock": "/run/docker.sock", "/var/run/docker.sock": "/run/docker.sock"}

    def resolve(path: str) -> str:
        return links.get(path, path)

    assert placement.canonical("unix:///home/ops/docker.sock", resolve) == SOCKET
    assert placement.canonical("unix:///home/ops/other.sock", resolve) == "unix:///home/ops/other.sock"


def test_the_tenants_own_engine_goes_before_the_shells() -> None:
    environ = {"DOCKER_HOST": "ssh://ops@docker2"}
    assert placement.address_of("ssh://ops@docker1", environ, plain) == "ssh://ops@docker1"
    assert placement.address_of("", environ, plain) == "ssh://ops@docker2"
    assert placement.address_of("", {}, plain) == SOCKET


TLS = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"}


@pytest.mark.parametrize(
    ("address", "environ", "why"),
    [
        ("tcp://docker1:2375", {}, "without TLS"),
        ("tcp://10.0.0.5:2375", {}, "without TLS"),
        ("tcp://10.0.0.5:2376", {"DOCKER_CERT_PATH": "/certs"}, "without TLS"),
        ("tcp://10.0.0.5:2376", {"DOCKER_TLS_VERIFY": "1"}, "without TLS"),
        ("tcp://127.0.0.1.example:2375", {}, "without TLS"),
        ("tcp://10.0.0.5:2376", TLS, ""),
        ("tcp://10.0.0.5:2376/", {"DOCKER_TLS_VERIFY": "", "DOCKER_CERT_PATH": "/certs"}, "without TLS"),
        ("tcp://127.0.0.1:2375", {}, ""),
        ("tcp://localhost:2375", {}, ""),
        ("ssh://ops@docker1", {}, ""),
        ("", {}, ""),
        (SOCKET, {"DOCKER_CONTEXT": "default"}, ""),
        (SOCKET, {"DOCKER_CONTEXT": "docker1"}, "DOCKER_CONTEXT is 'docker1'"),
    ],
)
def test_what_this_shell_may_not_use(address: str, environ: dict[str, str], why: str) -> None:
    refusal_text = placement.refusal(address, environ)
    assert why in refusal_text if why else refusal_text == ""


def asking(**engine: EngineObjects) -> Callable[[str], EngineObjects | None]:
    return lambda address: engine.get(address)


ONE, TWO = (
    EngineObjects(identity="A", objects=frozenset({"c1"}), running=("oak-lms",)),
    EngineObjects(identity="B", objects=frozenset()),
)
EMPTY_ONE = EngineObjects(identity="A", objects=frozenset())
SAME, OTHER, UNKNOWN = Sameness.SAME, Sameness.OTHER, Sameness.UNKNOWN


@pytest.mark.parametrize(
    ("known", "before", "after", "engine", "same", "old"),
    [
        # It has what the state has made, and an id is drawn once.
        ({"c1", "n1"}, "a", "b", {"b": ONE}, SAME, None),
        # All of it is gone, and it is the engine that answered there before.
        ({"c9"}, "a", "b", {"a": EMPTY_ONE, "b": EMPTY_ONE}, SAME, None),
        ({"c1"}, "a", "b", {"a": ONE, "b": TWO}, OTHER, ONE),
        ({"c1"}, "a", "b", {"b": TWO}, OTHER, None),
        # Nobody answers: two names are two machines, all else may be one.
        ({"c1"}, "ssh://docker1", "ssh://docker2", {}, OTHER, None),
        ({"c1"}, SOCKET, "ssh://docker2", {}, UNKNOWN, None),
        ({"c1"}, "ssh://ops@docker1", "tcp://docker1:2376", {}, UNKNOWN, None),
        ({"c1"}, SOCKET, "unix:///run/user/1000/docker.sock", {}, UNKNOWN, None),
        # A state that has nothing leaves nothing behind.
        (set(), SOCKET, "ssh://docker2", {}, SAME, None),
    ],
)  # fmt: skip
def test_compare(
    known: set[str],
    before: str,
    after: str,
    engine: dict[str, EngineObjects],
    same: Sameness,
    old: EngineObjects | None,
) -> None:
    assert compare(known, before, after, asking(**engine)) == (same, old)


def provider(before: dict[str, str], after: dict[str, str], same: str = "") -> Plan:
    urn = f"urn:pulumi:oak::portals::portal:index:Portal${DOCKER_PROVIDER}::engine"
    change = Change(urn=urn, op="update", before=before, after=after, engine=same)
    return Plan(tenant="oak", changes=(change,))


@pytest.mark.parametrize("host", ["", "unix:///run/docker.sock", SOCKET])
def test_an_alias_is_no_change_of_engine(host: str) -> None:
    plan = provider({"host": host} if host else {}, {"host": SOCKET})
    assert address_change(plan) is None
    assert judge(plan).judged == ()


@pytest.mark.parametrize(
    ("same", "data"), [("same", DataRisk.NONE), ("other", DataRisk.LOSS), ("unknown", DataRisk.UNKNOWN)]
)
def test_only_another_engine_puts_data_at_risk(same: str, data: DataRisk) -> None:
    plan = provider({}, {"host": "ssh://ops@docker1"}, same)
    assert address_change(plan) == (SOCKET, "ssh://ops@docker1")
    assert judge(plan).data is data


def test_the_ids_of_a_state() -> None:
    kinds = {
        "docker:index/container:Container": "c1",
        "docker:index/network:Network": "n1",
        "docker:index/volume:Volume": "oak-mysql",
    }
    resources = [{"type": kind, "id": each} for kind, each in kinds.items()]
    assert ids({"deployment": {"resources": [*resources, {"type": "x:y:Z"}]}}) == {"c1", "n1"}
