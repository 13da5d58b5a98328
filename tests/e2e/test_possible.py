"""Nothing that runs is stopped before the new is known to be possible: on a real engine, against what others have there."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from testbed.checkout import Checkout
from testbed.light import LightPortals
from testbed.objects import Objects
from testbed.trial import Trial
from tests.e2e import foreign
from tests.e2e.proxy import Proxy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
# Of nobody's portal: neither a trial's nor a first tenant's.
PORT = 18179
SUBNET = "10.77.249.0/24"
IMPOSSIBLE = 10
Attack = Callable[[Any], AbstractContextManager[str]]
TAKEN_PORT: dict[str, Attack] = {
    "a program of the host": lambda client: foreign.listening_program("127.0.0.1", PORT),
    "a program at every address": lambda client: foreign.listening_program("0.0.0.0", PORT),
    "a program that only holds it": lambda client: foreign.bound_program("127.0.0.1", PORT),
    "a foreign container": lambda client: foreign.publishing_container(client, "127.0.0.1", PORT),
    "a container at every address": lambda client: foreign.publishing_container(client, "0.0.0.0", PORT),
}
TAKEN_SUBNET: dict[str, Attack] = {
    "a foreign network": lambda client: foreign.network(client, "10.77.249.64/26"),
    "a wider foreign network": lambda client: foreign.network(client, "10.77.248.0/23"),
    "an address of the host": lambda client: foreign.host_address("10.77.249.9"),
    "a route of the host": lambda client: foreign.route("10.77.249.0/25"),
}


@pytest.fixture(scope="module")
def birch(light_checkout: Checkout, objects: Objects) -> Iterator[Trial]:
    """A light portal that all these share, since none of them may change it."""
    fleet = LightPortals(checkout=light_checkout, objects=objects)
    made = fleet.trial(1)
    made.up()
    yield made
    fleet.clear()


@pytest.fixture(autouse=True)
def as_it_was(birch: Trial) -> Iterator[None]:
    """Every container is the same and has not been started again; the file is put back."""
    before = running(birch)
    assert len(before) > 15
    yield
    birch.choices.clear()
    birch.write()
    assert running(birch) == before
    assert birch.get("/")[0] == 200
    birch.assert_quiet()


def running(trial: Trial) -> dict[str, tuple[str, str, str]]:
    """Id, state and start of each container."""
    return {
        service: (each["Id"], each["State"]["Status"], each["State"]["StartedAt"])
        for service, each in trial.objects.containers(trial.name).items()
    }


def some(attacks: Iterable[str]) -> list[Any]:
    """Each, those of another address or width among the slow ones."""
    wide = ("every address", "wider")
    return [
        pytest.param(each, marks=[pytest.mark.slow] if any(word in each for word in wide) else [])
        for each in attacks
    ]


@pytest.mark.parametrize("attack", some(TAKEN_PORT))
def test_a_port_that_is_taken_stops_nothing(birch: Trial, attack: str) -> None:
    birch.write(listen={"address": "127.0.0.1", "port": PORT})
    with TAKEN_PORT[attack](birch.objects.client) as holder:
        refused(birch, "listen/port", holder, every_way=attack == "a program of the host")


@pytest.mark.parametrize("attack", some(TAKEN_SUBNET))
def test_a_subnet_that_is_taken_stops_nothing(birch: Trial, attack: str) -> None:
    if "of the host" in attack and os.getuid():
        pytest.skip("only root can add a route or an address")
    birch.write(placement={"subnet": SUBNET})
    with TAKEN_SUBNET[attack](birch.objects.client) as holder:
        refused(birch, "placement/subnet", holder, every_way=attack == "a foreign network")


def test_an_address_that_the_host_does_not_have_stops_nothing(birch: Trial) -> None:
    birch.write(listen={"address": "192.0.2.7", "port": PORT})
    refused(birch, "listen/address", "192.0.2.7 is not an address of the engine's host")


def refused(birch: Trial, key: str, why: str, *, every_way: bool = False) -> None:
    """`up` refuses; with `every_way` the preview says so, too, and neither `up` without one nor the plain CLI gets further."""
    ways = [("up", birch.name), *([("up", birch.name, "--skip-preview")] if every_way else [])]
    for words in ways:
        ran = birch.checkout.portal(*words)
        assert ran.code == IMPOSSIBLE, str(ran)
        assert f"tenants/{birch.name}.yaml: {key}: " in ran.err, str(ran)
        assert why in ran.err, str(ran)
        assert "nothing was stopped or changed" in ran.err, str(ran)
    if not every_way:
        return
    preview = birch.checkout.portal("preview", birch.name, "--json", "--allow", "data-loss")
    assert preview.code == IMPOSSIBLE, str(preview)
    (obstacle, *_) = preview.facts()["obstacles"]
    assert obstacle["key"] == key, obstacle
    assert why in obstacle["what"], obstacle
    plain = birch.checkout.shell(f"pulumi up --yes --skip-preview --stack {birch.name}")
    assert plain.code != 0, str(plain)
    assert why in " ".join((plain.out + plain.err).split()), str(plain)


@pytest.mark.parametrize("words", ["--port", "--subnet"])
def test_a_new_tenant_with_what_is_taken_leaves_nothing(birch: Trial, words: str) -> None:
    """Neither a dry run nor the real one gets as far as a file."""
    checkout, client = birch.checkout, birch.objects.client
    name, drive = "e2e-light-2", str(birch.root)
    value = str(PORT) if words == "--port" else SUBNET
    new = [
        "new",
        name,
        "--lms",
        f"{name}.localhost",
        "--images",
        "packages",
        "--mail",
        "sink",
        "--root",
        drive,
        words,
        value,
    ]
    attack = (
        foreign.listening_program("127.0.0.1", PORT) if words == "--port" else foreign.network(client, SUBNET)
    )
    with attack as holder:
        for more in (["--dry-run"], ["--dry-run", "--json"], ["--json"]):
            ran = checkout.portal(*new, *more)
            assert ran.code == IMPOSSIBLE, str(ran)
            assert holder in ran.err, str(ran)
    assert not list((checkout.folder / "tenants").glob(f"*{name}*"))
    assert not (checkout.backend / "stacks" / "portals" / f"{name}.json").exists()
    assert not birch.objects.ids(name)
    assert not birch.objects.run_on_drive(birch.root, f"ls /drive | grep -x {name} || true").strip()


def test_one_engine_by_other_words_is_one_engine(birch: Trial, tmp_path: Path) -> None:
    """Aliases of the socket change nothing; another way to it is asked, and found to lead to the same."""
    link = tmp_path / "docker.sock"
    link.symlink_to("/var/run/docker.sock")
    for host in ("unix:///var/run/docker.sock", "unix:///run/docker.sock", f"unix://{link}"):
        ran = birch.checkout.portal("preview", birch.name, "--json", DOCKER_HOST=host)
        assert (ran.code, ran.facts()["changes"]) == (0, []), str(ran)
    with Proxy(tmp_path / "way.sock") as way:
        ran = birch.checkout.portal("preview", birch.name, "--json", DOCKER_HOST=way.address)
        assert ran.code == 0, str(ran)
        (change,) = ran.facts()["changes"]
        assert change["data"] == "none", change
        assert change["reasons"] == [
            f"{way.address} and unix:///var/run/docker.sock are the same engine: the portal is on it"
        ]
    # Cut: nobody can say, and that is what is said.
    ran = birch.checkout.portal("preview", birch.name, "--json", DOCKER_HOST=way.address)
    (change,) = ran.facts()["changes"]
    assert (ran.code, change["data"]) == (0, "unknown"), str(ran)
    assert "unknown whether data is at risk" in ran.err


def test_what_anybody_on_the_network_could_read_is_not_used(birch: Trial) -> None:
    for words in (["up", birch.name], ["status", birch.name]):
        ran = birch.checkout.portal(*words, DOCKER_HOST="tcp://192.0.2.7:2375")
        assert ran.code != 0, str(ran)
        assert "without TLS" in ran.err, str(ran)
        assert "ssh://" in ran.err, str(ran)


def test_a_portal_of_another_state_is_told_and_not_purged(birch: Trial, tmp_path_factory: Any) -> None:
    """A second checkout with a state of its own on the same engine: whose it is, in one row, and no way to delete it unasked."""
    other = Checkout.make(tmp_path_factory.mktemp("other"))
    ran = other.portal("orphans", "--json")
    assert ran.code == 0, str(ran)
    (portal,) = (each for each in json.loads(ran.out)["portals"] if each["tenant"] == birch.name)
    mine = (birch.checkout.data / "portals" / "state" / "owner").read_text().strip()
    assert (portal["side"], portal["owner"]) == ("others", mine)
    assert {each["kind"] for each in portal["parts"]} == {"container", "network", "volume"}
    assert "./portal purge" not in portal["remedy"]
    root = ("--root", str(birch.root))
    for words in ((), ("--owner", "unknown")):
        ran = other.portal("purge", birch.name, "--confirm", birch.name, *root, *words)
        assert ran.code == 11, str(ran)
        assert f"belongs to another state, {mine}; nothing was removed" in ran.err, str(ran)
    # For its own state it is no orphan, and what lies on the drive says whose it is.
    ran = birch.checkout.portal("purge", birch.name, "--dry-run", "--json")
    assert (ran.facts()["side"], ran.facts()["owner"]) == ("ours", mine)
    owner = birch.objects.run_on_drive(birch.root, f"cat /drive/{birch.name}/.portal/owner")
    assert owner.strip() == mine
