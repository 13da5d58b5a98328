"""Whatever a tenant file holds, it gives a tenant or clear findings, and soon."""

import os
import string
import time
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.portal.networks import networks
from config.reading.errors import ConfigError
from config.tenant.fleet import Fleet
from config.tenant.tenant import Tenant
from config.values import names
from tests.unit.config.bad_files import DATA

GOOD = (DATA / "tenants" / "good.yaml").read_bytes()
POOL = Fleet.load(Path(__file__).parents[4] / "config" / "fleet.yml").pool
KEYS = [
    *(
        "title",
        "release",
        "images",
        "hosts",
        "listen",
        "placement",
        "storage",
        "admin",
        "mail",
        "sizes",
        "lms",
        "cms",
        "worker_groups",
        "lms-workers-heavy",
        "queues",
        "grace_seconds",
    ),
    *("address", "port", "docker_host", "subnet", "root", "email", "username", "memory", "workers", "mysql"),
    *("delivery", "smarthost", "domains"),
]
quick = settings(
    # The same examples in every run; HYPOTHESIS_EXAMPLES=5000 hunts for more.
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "50")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tenants"
    made.mkdir()
    return made


def load(data: bytes, folder: Path) -> Tenant | None:
    """The tenant of a file, or None when its findings are in order."""
    (folder / "good.yaml").write_bytes(data)
    start = time.process_time()
    try:
        return Tenant.load("good", folder)
    except ConfigError as error:
        findings = error.findings
    finally:
        assert time.process_time() - start < 1
    assert findings
    for finding in findings:
        assert finding.startswith("tenants/good.yaml: ")
        assert finding.isprintable()
        assert len(finding) < 500
    return None


def sound(tenant: Tenant) -> None:
    """What holds of every tenant, whatever file it came from."""
    assert tenant.placement.subnet.subnet_of(POOL)
    for network in networks(tenant).values():
        assert network.subnet.subnet_of(tenant.placement.subnet)
        # Network, broadcast and the host's own address are nobody's.
        assert len(network.members) <= network.subnet.num_addresses - 3
    assert IPv4Address(tenant.listen.address)
    assert tenant.directory.startswith("/")
    assert not set(tenant.directory) - set(string.ascii_letters + string.digits + "._-/")
    for host in (tenant.hosts.lms, tenant.hosts.cms, tenant.hosts.mail, *tenant.sender_domains):
        # They go into the load balancer's configuration, and the mailer's, as they are.
        assert not set(host) - set(string.ascii_lowercase + string.digits + ".-")
    assert ("mail-sink" in tenant.services) == bool(tenant.hosts.mail) == (tenant.mail.delivery == "sink")
    assert bool(tenant.mail.smarthost) == bool(tenant.mail.username) == (tenant.mail.delivery == "smarthost")
    for name, size in tenant.sizes.items():
        assert tenant.least_memory(name) <= size.memory <= 65536
        assert bool(size.workers) == bool(tenant.release.services[name].workers)
    for verb in names.WORKERS:
        mine = [group for name, group in tenant.workers.items() if name.startswith(verb)]
        assert all(group.queues and group.grace_seconds >= 30 for group in mine)
        # Every queue has workers, and one container of them.
        assert sorted(q for group in mine for q in group.queues) == sorted(
            tenant.release.services[verb].queues
        )


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.text(max_size=80),
    st.sampled_from(
        ["no", "0o10", "1e3", "22:22", "0x1F", "512MiB", "10.77.5.0/24", "redwood", "/srv", "a.b", "*x"]
    ),
)
words = st.one_of(st.sampled_from(KEYS), st.text(max_size=20), st.integers(), st.booleans())
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=6),
    max_leaves=12,
)


@quick
@given(data=st.binary(max_size=300))
def test_any_bytes(data: bytes, folder: Path) -> None:
    load(data, folder)


@quick
@given(
    text=st.text(alphabet=st.sampled_from("ab:- \n'\"[]{},#&*!|>%@`~?0.\\<=" + "\u00e9\u202e"), max_size=120)
)
def test_any_text_of_yaml_s_own_characters(text: str, folder: Path) -> None:
    load(text.encode(), folder)


@quick
@given(tree=st.dictionaries(words, trees, max_size=9), flow=st.booleans())
def test_any_structure(tree: Any, flow: bool, folder: Path) -> None:
    load(yaml.dump(tree, allow_unicode=True, default_flow_style=flow, sort_keys=False).encode(), folder)


@quick
@given(path=st.sampled_from(KEYS), value=trees)
def test_a_good_file_with_any_value_in_one_place(path: str, value: Any, folder: Path) -> None:
    tree = yaml.safe_load(GOOD)
    homes = (tree, *(each for each in tree.values() if isinstance(each, dict)), tree["sizes"]["lms"])
    for home in homes:
        if path in home:
            home[path] = value
    tenant = load(yaml.dump(tree, allow_unicode=True, sort_keys=False).encode(), folder)
    if tenant:
        sound(tenant)


edits = st.lists(
    st.tuples(
        st.integers(0, len(GOOD)),
        st.integers(0, 30),
        st.one_of(
            st.binary(max_size=6),
            st.sampled_from(
                [b"&a ", b"*a", b"<<: ", b"!!str ", b"\n", b"\n  ", b": ", b"---\n", b"'", b"\t", b"\0"]
            ),
        ),
    ),
    min_size=1,
    max_size=4,
)


@quick
@given(edits=edits)
def test_a_good_file_spoilt_in_a_few_places(edits: list[tuple[int, int, bytes]], folder: Path) -> None:
    data = GOOD
    for start, length, new in edits:
        data = data[:start] + new + data[start + length :]
    tenant = load(data, folder)
    if tenant:
        sound(tenant)


@quick
@given(lines=st.lists(st.sampled_from(GOOD.splitlines()), max_size=40))
def test_the_lines_of_a_good_file_in_any_order(lines: list[bytes], folder: Path) -> None:
    tenant = load(b"\n".join(lines), folder)
    if tenant:
        sound(tenant)


label = st.from_regex(r"[a-z0-9]([a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
host = st.builds(lambda *parts: ".".join(parts), label, label, st.from_regex(r"[a-z]{2,10}", fullmatch=True))
title = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=80)
domains = {"domains": st.lists(host, max_size=3)}
mails = st.one_of(
    st.fixed_dictionaries({}, optional={"delivery": st.just("direct"), **domains}),
    st.fixed_dictionaries(
        {
            "delivery": st.just("smarthost"),
            "smarthost": st.builds("{}:{}".format, host, st.integers(1, 65535)),
            "username": st.from_regex(r"[A-Za-z0-9@.:$^-]{1,40}", fullmatch=True),
        },
        optional=domains,
    ),
)


def sized(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Keys, with workers and memory that is enough for them: a GiB each."""
    return st.integers(1, 64).flatmap(
        lambda workers: st.fixed_dictionaries(
            required,
            optional={
                "memory": st.integers(workers, 64).map("{}GiB".format),
                "workers": st.just(workers),
                **optional,
            },
        )
    )


def group(*queues: str) -> st.SearchStrategy[dict[str, Any]]:
    return sized(
        {
            "queues": st.permutations(queues).flatmap(
                lambda some: st.integers(1, len(some)).map(lambda n: some[:n])
            )
        },
        {"grace_seconds": st.integers(30, 86400)},
    )


good = st.fixed_dictionaries(
    {
        "title": title,
        "hosts": st.lists(host, min_size=2, max_size=2, unique=True).map(
            lambda two: {"lms": two[0], "cms": two[1]}
        ),
        "listen": st.fixed_dictionaries(
            {"port": st.integers(1024, 65535)},
            optional={"address": st.ip_addresses(v=4, network="192.0.2.0/24").map(str)},
        ),
        "placement": st.fixed_dictionaries(
            {"subnet": st.integers(0, 255).map("10.77.{}.0/24".format)},
            optional={"docker_host": host.map("tcp://{}:2376".format)},
        ),
        "admin": st.fixed_dictionaries(
            {"email": st.builds("{}@{}".format, label, host)},
            optional={"username": st.from_regex(r"[A-Za-z0-9_.@+-]{2,30}", fullmatch=True)},
        ),
    },
    optional={
        "release": st.just("redwood"),
        "images": st.just("packages"),
        "mail": mails,
        "storage": st.builds(lambda *parts: {"root": "/mnt/" + "/".join(parts)}, label, label),
        "sizes": st.dictionaries(
            st.sampled_from(["lms", "cms", "lms-workers", "cms-workers"]),
            sized({}, {}),
        ),
        "worker_groups": st.fixed_dictionaries(
            {}, optional={"lms-workers-heavy": group("high_mem", "high"), "cms-workers-2": group("low")}
        ),
    },
)


@quick
@given(tree=good)
def test_a_good_file_is_read_as_it_was_said(tree: dict[str, Any], folder: Path) -> None:
    # YAML breaks a long line where it has spaces; titles have none here.
    tenant = load(yaml.dump(tree, allow_unicode=True, sort_keys=False, width=1000).encode(), folder)
    assert tenant
    sound(tenant)
    assert tenant.title == tree["title"]
    assert tenant.hosts.lms == tree["hosts"]["lms"]
    assert tenant.listen.port == tree["listen"]["port"]
    assert tenant.placement.subnet == IPv4Network(tree["placement"]["subnet"])
    assert tenant.placement.docker_host == tree["placement"].get("docker_host", "")
    assert tenant.admin.email == tree["admin"]["email"]
    assert tenant.admin.username == tree["admin"].get("username", "admin")
    assert tenant.mail.delivery == tree.get("mail", {}).get("delivery", "direct")
    assert tenant.mail.username == tree.get("mail", {}).get("username", "")
    assert tenant.sender_domains == tuple(tree.get("mail", {}).get("domains") or [tenant.hosts.lms])
    assert tenant.storage.root == tree.get("storage", {}).get("root", "/srv/portals")
    for name, size in tree.get("sizes", {}).items():
        usual = tenant.release.services[name]
        assert tenant.sizes[name].workers == size.get("workers", usual.workers)
        memory = int(size.get("memory", "0GiB")[:-3]) * 1024
        assert tenant.sizes[name].memory == (
            memory or usual.usual_memory(tenant.images, size.get("workers", 0))
        )
    for name, group in tree.get("worker_groups", {}).items():
        usual = tenant.release.services[name.rpartition("-")[0]]
        assert list(tenant.worker_groups[name].queues) == group["queues"]
        assert tenant.worker_groups[name].grace_seconds == group.get("grace_seconds", usual.grace_seconds)


@quick
@given(name=st.text(max_size=40))
def test_any_name(name: str, folder: Path) -> None:
    reason = ""
    try:
        assert names.tenant(name) == name
    except ValueError as error:
        reason = str(error)
    assert reason.isprintable()
    if reason:
        with pytest.raises(ConfigError):
            Tenant.load(name, folder)


@quick
@given(
    tenants=st.lists(
        st.lists(st.sampled_from(["acme", "ab", "cd", "lms", "workers", "ef"]), min_size=1, max_size=4).map(
            "-".join
        ),
        unique=True,
        max_size=6,
    )
)
def test_tenants_without_a_clash_never_share_a_name(tenants: list[str]) -> None:
    parts = names.PARTS | {"ab", "cd-ab", "ef"}
    if names.clashes(tenants, frozenset(parts)):
        return
    parts = parts | {"lms-workers-ab", "cms-workers-ef-cd"}
    made = [name for each in tenants for name in (each, *(f"{each}-{part}" for part in parts))]
    assert len(made) == len(set(made))
