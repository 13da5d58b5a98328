"""Each house rule refuses what it is there for: one spoilt resource a row, and the rule that must see it."""

import copy
from functools import cache
from typing import Any

import pytest

from policies.house.resource import CONTAINER, NETWORK, UNKNOWN, VOLUME, Resource
from policies.house.rules import RULES, findings, leaks
from tests.programs import portal

Row = tuple[str, str, str, Any]
DIGEST = f"docker.io/library/redis@sha256:{'0' * 64}"
# Rule, resource, path of the input, what it becomes.
SPOILT: tuple[Row, ...] = (
    ("bounded", "lms", "memorySwap", -1),
    ("bounded", "lms", "memory", 0),
    ("bounded", "lms", "memory", None),
    ("bounded", "lms", "ulimits", []),
    ("logs_rotate", "lms", "logDriver", "journald"),
    ("logs_rotate", "lms", "logOpts", None),
    ("logs_rotate", "lms", "logOpts", {"max-size": "10m"}),
    ("unprivileged", "lms", "privileged", True),
    ("unprivileged", "lms", "securityOpts", None),
    ("unprivileged", "lms", "securityOpts", ["no-new-privileges:true", "seccomp=unconfined"]),
    ("unprivileged", "lms", "capabilities", None),
    ("unprivileged", "lms", "capabilities", {"drops": ["ALL"], "adds": ["CAP_SYS_ADMIN"]}),
    ("unprivileged", "load-balancer", "capabilities", {"drops": ["ALL"], "adds": ["NET_BIND_SERVICE"]}),
    ("unprivileged", "lms", "networkMode", "host"),
    ("unprivileged", "lms", "networkMode", "container:other"),
    ("unprivileged", "lms", "pidMode", "host"),
    ("unprivileged", "lms", "ipcMode", "host"),
    ("unprivileged", "lms", "devices", [{"hostPath": "/dev/mem"}]),
    ("unprivileged_user", "lms", "user", "0"),
    ("unprivileged_user", "lms", "user", "root"),
    ("unprivileged_user", "lms", "user", None),
    ("unprivileged_user", "lms", "user", "0:1000"),
    ("named", "lms", "name", "acme-other"),
    ("named", "lms", "labels", []),
    ("named", "front", "name", "front"),
    ("named", "volume-mysql", "name", "mysql"),
    ("watched", "lms", "restart", "always"),
    ("watched", "lms", "healthcheck", None),
    ("watched", "lms", "healthcheck", {"tests": ["NONE"]}),
    ("watched", "lms", "wait", False),
    ("watched", "edxapp-migrations", "restart", "on-failure"),
    ("watched", "edxapp-migrations", "mustRun", True),
    ("stops_in_time", "lms", "destroyGraceSeconds", None),
    ("stops_in_time", "mysql", "destroyGraceSeconds", 60),
    ("stops_in_time", "lms", "stopTimeout", 5),
    ("one_door", "lms", "ports", [{"internal": 8000, "external": 8000}]),
    ("one_door", "load-balancer", "ports", None),
    ("one_door", "lms", "networksAdvanced", [{"name": "acme-front"}, {"name": "acme-egress"}]),
    ("one_door", "lms", "networksAdvanced", [{"name": "demo-front"}]),
    ("one_door", "mailer", "networksAdvanced", [{"name": "acme-ingress"}]),
    ("away_from_data", "load-balancer", "networksAdvanced", [{"name": "acme-front"}, {"name": "acme-data"}]),
    ("away_from_data", "nginx", "networksAdvanced", [{"name": "acme-cache"}]),
    ("away_from_data", "mailer", "networksAdvanced", [{"name": "acme-documents"}]),
    ("own_directories", "lms", "volumes", [{"hostPath": "/srv/portals", "containerPath": "/x"}]),
    ("own_directories", "lms", "volumes", [{"hostPath": "/var/run/docker.sock", "containerPath": "/x"}]),
    ("own_directories", "lms", "volumes", [{"volumeName": "demo-mysql", "containerPath": "/x"}]),
    ("own_directories", "storage-init", "volumes", [{"hostPath": "/srv/portals", "containerPath": "/x"}]),
    ("own_directories", "lms", "mounts", [{"source": "/var/run/docker.sock", "target": "/x"}]),
    ("no_secret_in_sight", "lms", "envs", ["MYSQL_PASSWORD=hunter2"]),
    ("no_secret_in_sight", "lms", "command", ["--api-key=hunter2"]),
    ("pinned", "lms", "image", "portals/openedx:latest"),
    ("pinned", "lms", "image", "docker.io/overhangio/openedx:18.2.2"),
    ("in_order", "lms", "envs", ["B=1", "A=1"]),
    ("in_order", "load-balancer", "ports", [{"internal": 8080}, {"internal": 80}]),
    ("apart", "front", "internal", False),
    ("apart", "egress", "internal", True),
    ("apart", "data", "options", None),
    ("apart", "ingress", "options", None),
    ("apart", "egress", "ipamConfigs", None),
    ("on_the_drive", "volume-mysql", "driverOpts", None),
    ("on_the_drive", "volume-mysql", "driverOpts", {"type": "none", "o": "bind", "device": "/srv/other"}),
)


@cache
def plan() -> dict[str, Resource]:
    """What the rules judge of acme's plan, by name."""
    return {
        each.name: Resource(type=each.type, name=each.name, inputs=each.inputs)
        for each in portal("acme").plan
        if each.type in RULES
    }


def good(name: str) -> Resource:
    """A resource of acme's plan."""
    return plan()[name]


def spoilt(name: str, key: str, value: Any) -> Resource:
    one = good(name)
    inputs = {**copy.deepcopy(dict(one.inputs)), key: value}
    return Resource(type=one.type, name=one.name, inputs=inputs)


@pytest.mark.parametrize(
    "row", SPOILT, ids=[f"{rule}-{name}-{key}-{number}" for number, (rule, name, key, _) in enumerate(SPOILT)]
)
def test_is_refused_by_its_rule(row: Row) -> None:
    rule, name, key, value = row
    assert findings(good(name)) == []
    broken = findings(spoilt(name, key, value))
    assert [each for each in broken if each.startswith(f"{rule}: ")], broken


def test_every_rule_has_a_row_and_says_what_it_is() -> None:
    known = {rule.__name__ for those in RULES.values() for rule in those}
    assert {rule for rule, *_ in SPOILT} == known
    assert all(rule.__doc__ for those in RULES.values() for rule in those)
    assert set(RULES) == {CONTAINER, NETWORK, VOLUME}


@pytest.mark.parametrize("name", ["lms", "storage-init", "load-balancer", "front", "volume-mysql"])
def test_what_a_preview_does_not_know_is_no_fault(name: str) -> None:
    for key in ("name", "image", "user", "memory", "ports", "volumes", "networksAdvanced", "envs"):
        if key in good(name).inputs and key != "ports":
            assert findings(spoilt(name, key, UNKNOWN)) == [], key


def test_an_image_by_digest_is_as_good() -> None:
    assert findings(spoilt("redis", "image", DIGEST)) == []


def test_a_secret_elsewhere_than_in_its_file_is_found() -> None:
    secrets = {"redis-password": "generated-redis-password"}
    assert list(leaks([good("redis")], secrets)) == []
    for key, value in (
        ("envs", ["REDIS=generated-redis-password"]),
        ("command", ["redis-server", "--requirepass", "generated-redis-password"]),
        ("uploads", [{"file": "/etc/redis.conf", "content": "requirepass generated-redis-password"}]),
    ):
        assert len(list(leaks([spoilt("redis", key, value)], secrets))) == 1, key
