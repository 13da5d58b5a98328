"""Two portals side by side on one engine: neither knows of the other. Asked from inside every container."""

import contextlib
import uuid
from collections.abc import Iterator

import pytest

from tests.e2e.mounts import directory, mounts
from tests.e2e.objects import Objects
from tests.e2e.outside import NoOutside, outside
from tests.e2e.reach import Reach, reaches
from tests.e2e.trial import Trial

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PORTS = {
    "mysql": 3306, "mongo": 27017, "redis": 6379, "memcached": 11211, "rabbitmq": 5672, "elasticsearch": 9200,
    "lms": 8000, "cms": 8010, "forum": 4567, "nginx": 8000, "load-balancer": 8080,
    "mailer": 8025, "mail-sink": 8026,
}  # fmt: skip
# Where else the same programs may listen.
MORE_PORTS = {4369, 25672, 9300, 8081, 33060}
# Directory of the portal → its path in the container, and whether the container may only read.
MOUNTS = {
    "mysql": {("mysql", "/data", False)},
    "mongo": {("mongo", "/data", False)},
    "redis": {("redis", "/data", False)},
    "rabbitmq": {("rabbitmq", "/data", False)},
    "elasticsearch": {("elasticsearch", "/data", False)},
    "mailer": {("mailer", "/data", False)},
    "mail-sink": {("mail-sink", "/data", False)},
    **{
        service: {(each, f"/openedx/{each}", False) for each in ("media", "overrides", "rendered")}
        for service in ("lms", "cms", "lms-workers", "cms-workers")
    },
    "nginx": {("media", "/openedx/media", True), ("static", "/openedx/static", True)},
}


@pytest.fixture(scope="module", params=["oak from elm", "elm from oak"])
def pair(request: pytest.FixtureRequest, oak: Trial, elm: Trial) -> tuple[Trial, Trial]:
    """The portal that looks, and the one that must not be seen."""
    return (elm, oak) if request.param == "oak from elm" else (oak, elm)


@pytest.fixture(scope="module")
def views(pair: tuple[Trial, Trial], objects: Objects) -> dict[str, Reach]:
    """What each container of the one can reach: its own portal's services, and every door of the other's."""
    looking, hidden = pair
    ports = {*PORTS.values(), *MORE_PORTS}
    theirs = [address for found in objects.addresses(hidden.name).values() for address in found]
    assert len(theirs) >= len(PORTS)
    own = {
        (address, PORTS[s])
        for s, found in objects.addresses(looking.name).items()
        for address in found
        if s in PORTS
    }
    names = {
        *PORTS,
        *(f"{looking.name}-{service}" for service in PORTS),
        *hidden_names(objects, hidden),
    }
    doors = {*own, *((address, port) for address in theirs for port in ports)}
    return reaches(objects, looking.name, names, doors)


def hidden_names(objects: Objects, hidden: Trial) -> set[str]:
    """Every name by which Docker might know a container of the other portal."""
    told = objects.containers(hidden.name)
    return {
        *(f"{hidden.name}-{service}" for service in told),
        *(f"{service}.{hidden.name}-private" for service in told),
        *(f"{hidden.name}-{service}.{hidden.name}-private" for service in told),
        *(each["Id"][:12] for each in told.values()),
        *(each["Config"]["Hostname"] for each in told.values() if each["Config"]["Hostname"] != "rabbitmq"),
    }


def test_every_container_was_asked(views: dict[str, Reach]) -> None:
    """A container that is left out might be the one that sees too much."""
    assert len(views) == 15


def test_own_services_answer(views: dict[str, Reach], pair: tuple[Trial, Trial], objects: Objects) -> None:
    """The control: where the other's silence is found, one's own portal is heard by the same means."""
    private = {
        service: objects.containers(pair[0].name)[service]["NetworkSettings"]["Networks"][
            f"{pair[0].name}-private"
        ]
        for service in PORTS
    }
    for service, view in views.items():
        for name, port in PORTS.items():
            assert view.doors[private[name]["IPAddress"], port] == "open", f"{service} → {name}:{port}"


def test_service_names_lead_to_ones_own(
    views: dict[str, Reach], pair: tuple[Trial, Trial], objects: Objects
) -> None:
    """`mysql` means another container in every portal: the wrong one would be another client's data."""
    own = objects.addresses(pair[0].name)
    for service, view in views.items():
        for name in PORTS:
            assert view.names[name], f"{service} does not find {name}"
            assert set(view.names[name]) <= set(own[name]), f"{service} → {name}"


def test_none_of_the_others_names_resolve(
    views: dict[str, Reach], pair: tuple[Trial, Trial], objects: Objects
) -> None:
    """Who has which portals is nobody else's business."""
    hidden = hidden_names(objects, pair[1])
    assert [
        (service, name, found)
        for service, view in views.items()
        for name, found in view.names.items()
        if name in hidden and found
    ] == []


def test_none_of_the_others_addresses_answer(
    views: dict[str, Reach], pair: tuple[Trial, Trial], objects: Objects
) -> None:
    """Not even by a refusal: no packet may reach another portal's container."""
    theirs = {address for found in objects.addresses(pair[1].name).values() for address in found}
    assert [
        (service, *door, answer)
        for service, view in views.items()
        for door, answer in view.doors.items()
        if door[0] in theirs and answer != "silent"
    ] == []


def test_the_others_published_port_is_closed(pair: tuple[Trial, Trial], objects: Objects) -> None:
    """It is published to this machine's people, on the loopback address; not to containers by way of a gateway."""
    looking, hidden = pair
    gateways = [f"10.77.{portal.number}.{last}" for portal in pair for last in (1, 129)]
    doors = [(each, hidden.port) for each in gateways]
    for service, view in reaches(objects, looking.name, doors=doors).items():
        assert "open" not in view.doors.values(), (service, view.doors)


@pytest.fixture(scope="module")
def beyond() -> Iterator[tuple[str, int]]:
    """The door of a machine beyond this host."""
    with contextlib.ExitStack() as stack:
        try:
            door = stack.enter_context(outside())
        except NoOutside as reason:
            pytest.skip(str(reason))
        yield door


def test_only_the_load_balancer_has_a_way_out(
    pair: tuple[Trial, Trial], objects: Objects, beyond: tuple[str, int]
) -> None:
    """A data store that is broken into must not call home."""
    out = {
        service
        for service, view in reaches(objects, pair[0].name, doors=[beyond]).items()
        if view.doors[beyond] != "silent"
    }
    assert out == {"load-balancer"}


@pytest.fixture(scope="module")
def marker(pair: tuple[Trial, Trial], objects: Objects) -> Iterator[str]:
    """The name of a file that lies in every directory of the portal that must not be seen, readable by all."""
    name = f"marker-{uuid.uuid4().hex}"
    hidden = pair[1].name
    objects.on_drive(
        pair[1].root,
        f'find /drive/{hidden} -type d -maxdepth 1 | while read d; do echo here > "$d/{name}"; done',
    )
    yield name
    objects.on_drive(pair[1].root, f"find /drive/{hidden} -maxdepth 2 -name {name} -delete")


def test_none_of_the_others_files_are_there(pair: tuple[Trial, Trial], objects: Objects, marker: str) -> None:
    """Looked for by name through the whole of each container, as its own user and as root."""
    search = f"find / -path /proc -prune -o -path /sys -prune -o -name {marker} -print 2>/dev/null"
    for service, told in objects.containers(pair[0].name, jobs=False).items():
        for user in ("", "0:0"):
            assert objects.inside(told["Id"], "sh", "-c", search, user=user) == "", service


def test_each_container_sees_its_own_directories_alone(pair: tuple[Trial, Trial], objects: Objects) -> None:
    """By the kernel's table: neither the drive's root, nor the portal's directory, nor another's."""
    looking = pair[0].name
    for service, told in objects.containers(looking, jobs=False).items():
        seen = {(directory(each, looking), each.path, each.read_only) for each in mounts(objects, told["Id"])}
        assert seen == MOUNTS.get(service, set()), service


def test_the_drives_root_is_mounted_nowhere(pair: tuple[Trial, Trial], objects: Objects) -> None:
    """Jobs included, which have ended: the portal's own directory is the most that any is given."""
    looking = pair[0]
    for service, told in objects.containers(looking.name).items():
        given = [
            *(told["HostConfig"]["Binds"] or []),
            *(each["Source"] for each in told["Mounts"] if each["Source"]),
        ]
        for source in (each.split(":")[0] for each in given):
            assert source.rstrip("/") != str(looking.root), service
            assert not str(looking.root).startswith(f"{source.rstrip('/')}/"), f"{service} sees {source}"
