"""The benchmarks' pure parts: the Compose file of a plan, the comparison, the longest chain."""

import json
from typing import Any

import pytest

from benchmarks import events, memory, processes, same
from benchmarks.composefile import SECRET_MARK, UnknownInput, compose_file, plain
from benchmarks.events import Life
from benchmarks.usage import Usage
from config.portal.resource_types import CONTAINER


def container(name: str, *after: str, **inputs: Any) -> dict[str, Any]:
    told = {
        "name": f"acme-{name}",
        "image": f"portals/{name}:1",
        "networkMode": "bridge",
        "networksAdvanced": [{"name": "acme-private", "aliases": [name]}],
        "logDriver": "json-file",
        "logOpts": {"max-size": "10m"},
        "capabilities": {"drops": ["ALL"]},
        "stopTimeout": 30.0,
        "restart": "unless-stopped",
        **inputs,
    }
    return {
        "urn": urn(name),
        "type": CONTAINER,
        "inputs": told,
        "dependencies": [urn(each) for each in after],
    }


def urn(name: str) -> str:
    return f"urn:pulumi:acme::portals::{CONTAINER}::{name}"


def test_a_service_waits_for_health_and_a_job_for_success() -> None:
    made = compose_file(
        [container("init", attach=True), container("mysql", "init"), container("lms", "mysql", "init")],
        "acme",
    )
    assert made["services"]["lms"]["depends_on"] == {
        "init": {"condition": "service_completed_successfully"},
        "mysql": {"condition": "service_healthy"},
    }
    assert "depends_on" not in made["services"]["init"]


def test_files_keep_their_path_mode_and_text() -> None:
    upload = {"file": "/portal/x.sh", "content": "echo $HOME\n", "permissions": "0555"}
    made = compose_file([container("lms", uploads=[upload])], "acme")
    assert made["services"]["lms"]["configs"] == [
        {"source": "lms-0", "target": "/portal/x.sh", "mode": 0o555}
    ]
    # Compose would put the caller's home there.
    assert made["configs"]["lms-0"]["content"] == "echo $$HOME\n"


def test_an_input_that_the_file_would_not_have_is_an_error() -> None:
    with pytest.raises(UnknownInput, match=r"lms: .* privileged"):
        compose_file([container("lms", privileged=True)], "acme")


def test_secrets_and_defaults_lose_their_marks() -> None:
    secret = {SECRET_MARK: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps([{"a": 1}])}
    assert plain({"uploads": secret, "__defaults": ["x"]}) == {"uploads": [{"a": 1}]}


def test_differences_name_object_and_fact() -> None:
    ours = {"container acme-lms": {"Config.User": '"1000"'}, "volume acme-x": {}}
    theirs = {"container acme-lms": {"Config.User": '"0"'}}
    assert list(same.differences(ours, theirs)) == [
        'container acme-lms: Config.User: ours "1000", theirs "0"',
        "volume acme-x: only ours has it",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "as_good"),
    [
        (["lms"], ["lms"], True),
        ([], ["lms"], True),
        (["lms"], [], False),
        (["lms"], ["lms", "mysql"], False),
    ],
)
def test_the_peer_may_answer_to_its_services_name_besides(
    ours: list[str], theirs: list[str], as_good: bool
) -> None:
    name, key = "container acme-lms", "Networks acme-private aliases"
    found = list(same.differences({name: {key: json.dumps(ours)}}, {name: {key: json.dumps(theirs)}}))
    assert (found == []) is as_good


def test_the_chain_leads_back_over_the_latest_dependency() -> None:
    found = {
        "init": Life(create=1.0, start=1.5, die=2.0),
        "redis": Life(create=2.0, start=2.2, healthy=3.0),
        "mysql": Life(create=2.1, start=2.6, healthy=6.0),
        "lms": Life(create=6.5, start=7.0, healthy=9.0),
    }
    after = {"redis": ["init"], "mysql": ["init"], "lms": ["mysql", "redis"]}
    told = events.chain(found, after, seconds=9.4)
    assert [each.service for each in told.steps] == ["init", "mysql", "lms"]
    assert told.head == 1.0
    assert told.tail == pytest.approx(0.4)
    assert told.steps[2].gap == pytest.approx(0.5)
    whole = told.head + told.tail + sum(each.gap + each.make + each.run for each in told.steps)
    assert whole == pytest.approx(9.4)


def test_a_container_made_early_waits_before_its_start() -> None:
    found = {"init": Life(create=1.0, start=1.1, die=2.0), "lms": Life(create=1.0, start=2.4, healthy=3.0)}
    told = events.chain(found, {"lms": ["init"]}, seconds=3.0)
    assert told.steps[1].gap == 0.0
    assert told.steps[1].make == pytest.approx(0.4)


def test_only_the_first_event_of_a_kind_counts() -> None:
    def event(action: str, at: float) -> dict[str, Any]:
        return {"Action": action, "timeNano": at * 1e9, "Actor": {"Attributes": {"name": "acme-lms"}}}

    told = events.lives(
        [event("start", 11), event("health_status: healthy", 12), event("health_status: healthy", 15)],
        begin=10,
        prefix="acme-",
    )
    assert told == {"lms": Life(start=1.0, healthy=2.0)}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["/x/bin/pulumi", "up", "--yes"], "pulumi up"),
        (["/v/bin/python3", "-u", "/y/exec", "--a"], "python3 exec"),
        (["/v/bin/python", "-m", "plugins.docker", "127.0.0.1:1"], "python plugins.docker"),
        ([], ""),
    ],
)
def test_processes_have_short_names(words: list[str], name: str) -> None:
    assert processes.short(words) == name


def test_a_tree_has_children_of_children() -> None:
    assert sorted(processes.members(5, {6: 5, 7: 6, 8: 1})) == [5, 6, 7]


def test_a_removal_has_layers() -> None:
    found = {
        "lms": Life(kill=1.0, die=1.5, destroy=1.8),
        "cms": Life(kill=1.1, die=1.6, destroy=2.5),
        "init": Life(destroy=2.6),
        "mysql": Life(kill=2.7, die=3.0, destroy=3.2),
    }
    told = events.removal(found, seconds=4.0)
    assert [(each.containers, each.slowest) for each in told.layers] == [
        (2, "cms"),
        (1, "init"),
        (1, "mysql"),
    ]
    assert told.head == 1.0
    assert told.tail == pytest.approx(0.8)


def test_usage_keeps_peaks_of_each_and_of_all_at_once() -> None:
    usage = Usage()
    for lms, mysql, cpu in ((100.0, 300.0, 5.0), (250.0, 100.0, 15.0)):
        usage.take([held("lms", lms, cpu), held("mysql", mysql, 2.0)])
    usage.seconds = 20.0
    assert usage.facts() == {
        "peak_mib": 400,
        "cores": 0.5,
        "containers": {
            "mysql": {"peak_mib": 300, "limit_mib": 512, "cores": 0.0},
            "lms": {"peak_mib": 250, "limit_mib": 512, "cores": 0.5},
        },
    }


def held(service: str, working_set: float, cpu: float) -> memory.Held:
    return memory.Held(
        service=service, working_set=working_set, anonymous=working_set, limit=512.0, cpu_seconds=cpu
    )
