"""Tenants beside each other: what two may not share, and what a broken neighbour means."""

import time
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from config.reading.errors import ConfigError
from config.tenant.claims import Claims, Clash, clashes
from config.tenant.fleet import Fleet
from config.tenant.tenant import Tenant, load_all, load_valid
from config.tenant.tenant import names as all_names

HUGE = Fleet(pool=IPv4Network("10.64.0.0/12"))


def text(number: int, **changes: str) -> str:
    keys = {
        "lms": f"learn{number}.example.com",
        "cms": f"studio{number}.example.com",
        "address": "127.0.0.1",
        "port": str(10000 + number),
        "docker_host": '""',
        "subnet": str(IPv4Network((int(HUGE.pool.network_address) + number * 256, 24))),
        "root": "/srv/portals",
    } | changes
    return f"""
title: Tenant {number}
hosts: {{lms: {keys["lms"]}, cms: {keys["cms"]}}}
listen: {{address: {keys["address"]}, port: {keys["port"]}}}
placement: {{docker_host: {keys["docker_host"]}, subnet: {keys["subnet"]}}}
storage: {{root: {keys["root"]}}}
admin: {{email: admin@example.com}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tenants"
    made.mkdir()
    return made


def refused(name: str, folder: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Tenant.load(name, folder, HUGE)
    return caught.value.findings


@pytest.mark.parametrize(
    ("one", "other", "finding"),
    [
        (
            {"lms": "x.example.com"},
            {"cms": "x.example.com"},
            "hosts/lms: 'x.example.com' is hosts/cms of tenant 'two'",
        ),
        (
            {"port": "9000"},
            {"port": "9000"},
            "listen/port: 127.0.0.1:9000 collides with 127.0.0.1:9000 of tenant",
        ),
        (
            {"port": "9000"},
            {"port": "9000", "address": "0.0.0.0"},
            "listen/port: 127.0.0.1:9000 collides with 0.0.0.0:9000 of tenant 'two'",
        ),
        (
            {"port": "9000", "docker_host": "tcp://docker1.example.com:2376"},
            {"port": "9000", "docker_host": "ssh://ops@docker1.example.com"},
            "listen/port: 127.0.0.1:9000 collides with 127.0.0.1:9000 of tenant 'two' on the same machine",
        ),
        (
            {"subnet": "10.64.7.0/24"},
            {"subnet": "10.64.7.0/24", "docker_host": "tcp://docker1.example.com:2376"},
            "placement/subnet: '10.64.7.0/24' overlaps '10.64.7.0/24' of tenant 'two'",
        ),
        (
            {"root": "/srv/portals"},
            {"root": "/srv/portals/one/more"},
            "storage/root: '/srv/portals/one/more/two' of tenant 'two' lies inside '/srv/portals/one' of tenant 'one'",
        ),
    ],
)
def test_two_tenants_may_not_share(
    one: dict[str, str], other: dict[str, str], finding: str, folder: Path
) -> None:
    (folder / "one.yaml").write_text(text(1, **one))
    (folder / "two.yaml").write_text(text(2, **other))
    (line,) = refused("one", folder)
    assert line.startswith(f"tenants/one.yaml: {finding}")
    assert len(refused("two", folder)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"port": "9000"}, {"port": "9000", "address": "192.0.2.7"}),
        ({"port": "9000"}, {"port": "9000", "docker_host": "tcp://docker1.example.com:2376"}),
        ({"port": "9000"}, {"port": "9001", "address": "0.0.0.0"}),
        ({"root": "/srv/portals"}, {"root": "/srv/portals/on"}),
        ({"root": "/srv/portals"}, {"root": "/srv/portals-2"}),
        ({"lms": "example.com"}, {"lms": "learn.example.com"}),
        ({"subnet": "10.64.7.0/24"}, {"subnet": "10.64.8.0/24"}),
    ],
)
def test_two_tenants_may_have(one: dict[str, str], other: dict[str, str], folder: Path) -> None:
    (folder / "one.yaml").write_text(text(1, **one))
    (folder / "two.yaml").write_text(text(2, **other))
    assert sorted(load_all(folder, HUGE)) == ["one", "two"]
    assert Tenant.load("one", folder, HUGE).name == "one"


@pytest.mark.parametrize(
    "name",
    ["acme-lms", "acme-private", "acme-media", "acme-storage-init", "acme-lms-workers", "acme-cms-workers-x"],
)
def test_a_tenant_may_not_be_named_as_a_part_of_another(name: str, folder: Path) -> None:
    (folder / "acme.yaml").write_text(text(1))
    (folder / f"{name}.yaml").write_text(text(2))
    for each in ("acme", name):
        (line,) = refused(each, folder)
        assert line.startswith(
            f"tenants/{each}.yaml: name: containers, networks or volumes of 'acme' and '{name}'"
        )


@pytest.mark.parametrize("name", ["acme-2", "acme2", "acme-lms2", "acm", "acme-lm", "lms-acme", "acme-init"])
def test_a_tenant_may_be_named_much_like_another(name: str, folder: Path) -> None:
    (folder / "acme.yaml").write_text(text(1))
    (folder / f"{name}.yaml").write_text(text(2))
    assert Tenant.load(name, folder, HUGE).name == name


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("title: [x", "line 1: opens a bracket that is not closed, or misses a comma in it"),
        ("", "is empty, expected keys with values, for example 'title: Demo University'"),
        (
            text(2, port="80a"),
            "listen/port: found the text '80a', expected a number, for example 8080",
        ),
        (
            text(2, lms="no").replace("Tenant 2", "no"),
            "hosts/lms: found the boolean false (written 'no'), expected text, for example 'learn.acme.com'",
        ),
    ],
)
def test_a_neighbour_whose_claims_cannot_be_read_stops_a_tenant(broken: str, why: str, folder: Path) -> None:
    (folder / "one.yaml").write_text(text(1))
    (folder / "two.yaml").write_text(broken)
    assert refused("one", folder) == (
        f"tenants/two.yaml: has an error, so nobody can say whether two tenants collide: {why}",
    )


@pytest.mark.parametrize(
    "broken",
    [
        text(2) + "sizes: {lms: {memory: much}}",
        text(2).replace("title: Tenant 2", ""),
        text(2) + "unknown: key",
        text(2, subnet="192.168.2.0/24"),
        text(2) + "release: willow",
    ],
)
def test_a_neighbour_with_other_faults_does_not(broken: str, folder: Path) -> None:
    (folder / "one.yaml").write_text(text(1))
    (folder / "two.yaml").write_text(broken)
    assert Tenant.load("one", folder, HUGE).name == "one"
    assert refused("two", folder)


def test_a_file_that_nobody_would_read_is_told(folder: Path) -> None:
    (folder / "one.yaml").write_text(text(1))
    (folder / "two.yml").write_text(text(1))
    finding = "tenants/two.yml: is ignored, expected the ending '.yaml'"
    assert refused("one", folder) == (finding,)
    with pytest.raises(ConfigError, match="is ignored"):
        load_all(folder, HUGE)


def test_many_broken_neighbours_are_not_all_named(folder: Path) -> None:
    (folder / "one.yaml").write_text(text(1))
    for number in range(50):
        (folder / f"broken-{number}.yaml").write_text("x")
    lines = refused("one", folder)
    assert len(lines) == 21
    assert lines[-1] == "tenants: 30 more such files"


def test_all_that_is_wrong_in_a_folder_is_told_at_once(folder: Path) -> None:
    (folder / "one.yaml").write_text(text(1, lms="same.example.com", port="1"))
    (folder / "two.yaml").write_text(text(2, lms="same.example.com"))
    with pytest.raises(ConfigError) as caught:
        load_all(folder, HUGE)
    assert caught.value.findings == (
        "tenants/one.yaml: hosts/lms: 'same.example.com' is hosts/lms of tenant 'two', expected a host of its own",
        "tenants/one.yaml: listen/port: 1 is not a port for a portal, expected 80, 443 or 1024 to 65535, for example 8080",
        "tenants/two.yaml: hosts/lms: 'same.example.com' is hosts/lms of tenant 'one', expected a host of its own",
    )


def claims(tenant: str, **values: object) -> Claims:
    return Claims(tenant=tenant, values={key.replace("_", "/", 1): value for key, value in values.items()})


def test_a_host_that_a_release_derives_is_claimed_too() -> None:
    verawood = Claims(
        tenant="oak", values={"hosts/lms": "learn.oak.example"}, services=("mfe", "meilisearch")
    )
    collisions = clashes([claims("elm", hosts_cms="apps.learn.oak.example"), verawood])
    assert [(each.tenant, each.path, each.text) for each in collisions] == [
        (
            "elm",
            "hosts/cms",
            "'apps.learn.oak.example' is mfe below hosts/lms of tenant 'oak', expected a host of its own",
        ),
        (
            "oak",
            "hosts/lms",
            "'apps.learn.oak.example', its mfe below hosts/lms, is hosts/cms of tenant 'elm', "
            "expected a host of its own",
        ),
    ]
    assert clashes([claims("elm", hosts_cms="other.learn.oak.example"), verawood]) == []


def test_a_tenant_s_own_hosts_are_not_those_that_its_release_derives(folder: Path) -> None:
    file_text = text(1, lms="oak.example", cms="meilisearch.oak.example").replace(
        "title:", "release: verawood\ntitle:"
    )
    (folder / "one.yaml").write_text(file_text)
    own = (
        "tenants/one.yaml: hosts/cms: 'meilisearch.oak.example' is meilisearch below hosts/lms too, "
        "expected a host of its own"
    )
    assert own in refused("one", folder)


def one_by_one(folder: Path) -> tuple[set[str], set[str]]:
    """The tenants that load, and all that is said of the others."""
    good: set[str] = set()
    findings: set[str] = set()
    for name in all_names(folder):
        try:
            good.add(Tenant.load(name, folder, HUGE).name)
        except ConfigError as error:
            findings.update(error.findings)
    return good, findings


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"one": text(1)},
        {"one": text(1), "two": text(2)},
        {"one": text(1), "two": text(2, lms="learn1.example.com"), "three": text(3)},
        {"one": text(1), "two": "title: [", "three": text(3)},
        {"one": "title: ["},
        {"one": text(1, port="1"), "two": text(2)},
        {"one": text(1, address="nowhere"), "two": text(2, address="nowhere"), "lms": text(3)},
    ],
    ids=["none", "one", "two", "host", "unreadable", "alone", "hidden", "all"],
)
def test_a_survey_says_what_each_tenant_s_own_load_says(files: dict[str, str], folder: Path) -> None:
    for name, file_text in files.items():
        (folder / f"{name}.yaml").write_text(file_text)
    valid, findings = load_valid(folder, HUGE)
    assert (set(valid), set(findings)) == one_by_one(folder)
    assert len(findings) == len(set(findings))


def test_a_thousand_tenants_of_one_subnet_each_name_one_other() -> None:
    same = [claims(f"t{number:04}", placement_subnet=IPv4Network("10.64.0.0/24")) for number in range(1000)]
    collisions = clashes(same)
    assert len(collisions) == 1000
    assert len({each.tenant for each in collisions}) == 1000


def test_networks_of_any_width_are_compared() -> None:
    wide, inner, apart = (
        claims(tenant, placement_subnet=IPv4Network(subnet))
        for tenant, subnet in (("wide", "10.64.0.0/16"), ("inner", "10.64.9.0/24"), ("apart", "10.65.0.0/24"))
    )
    assert {each.tenant for each in clashes([apart, inner, wide])} == {"wide", "inner"}


def test_claims_that_are_not_known_clash_with_nothing() -> None:
    assert clashes([claims("one"), claims("two", hosts_lms="a.example.com"), claims("three")]) == []
    assert not claims("one").complete
    collisions = clashes([claims("one", hosts_lms="a.example.com"), claims("two", hosts_lms="a.example.com")])
    assert collisions[0] == Clash(
        tenant="one",
        path="hosts/lms",
        text="'a.example.com' is hosts/lms of tenant 'two', expected a host of its own",
    )


def test_a_thousand_tenants_are_checked_in_seconds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1000):
        (folder / f"tenant-{number}.yaml").write_text(text(number))
    start, work = time.monotonic(), time.process_time()
    assert len(load_all(folder, HUGE)) == 1000
    seconds, cpu = time.monotonic() - start, time.process_time() - work
    with capsys.disabled():
        print(f"\n1000 tenants read and checked in {seconds:.2f} s ({cpu:.2f} s of one core)")
    # Far above what it takes anywhere, far below what comparing each with each would.
    assert cpu < 20
