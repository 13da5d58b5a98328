"""The plugins' pure parts: what is checked, what counts as a change, what the engine is asked."""

import asyncio
import inspect
import io
import re
import tarfile
from typing import Any

import docker
import pulumi_docker
import pulumi_random
import pytest
import requests

from plugins.compare import compare
from plugins.docker.container.container import moved
from plugins.docker.container.durations import broken_duration, duration, nanoseconds
from plugins.docker.container.properties import CONTAINER
from plugins.docker.container.request import create_body, endpoint, update_arguments
from plugins.docker.container.uploads import archive
from plugins.docker.engine import Engine
from plugins.docker.image import IMAGE, registry, split
from plugins.docker.network import DESERTED_SECONDS, NETWORK, Leaving, Network, arguments
from plugins.docker.provider import SETTINGS
from plugins.docker.volume import VOLUME
from plugins.errors import Refused
from plugins.provider import made_up_name, resource_type
from plugins.random.bcrypt import bcrypt_hash
from plugins.random.numbers import RandomBytes, RandomId, RandomUuid
from plugins.random.text import PASSWORD, STRING, random_text
from plugins.schema import Kind, Property, Type, check
from plugins.values import UNKNOWN, UNKNOWN_TEXTS, plain, plain_map, secret_keys, wrap, wrap_map

IMAGED = {"image": "a:1", "name": "conf-unit"}


def findings(resource: Type, inputs: dict[str, Any]) -> list[str]:
    _, failures = check(resource, wrap_map(inputs))
    return [f"{each.path}: {each.reason}" for each in failures]


# --- everything the SDK knows is served or refused -------------------------------------------------


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(each.title() for each in tail)


def arguments_of(sdk: type) -> dict[str, str]:
    """The SDK's arguments of a resource or of an object inside it, with their types as text."""
    source = inspect.getsource(vars(sdk)["__init__"])
    return dict(re.findall(r"^ {17}(\w+): ([^\n]+?)(?: = None)?[,)]", source, re.MULTILINE))


def unknown_properties(sdk: type, known: tuple[Property, ...], path: str) -> list[str]:
    names = {each.name: each for each in known}
    lines = []
    for name, annotation in arguments_of(sdk).items():
        key = camel(name)
        if key not in names:
            lines.append(f"{path}.{key}")
            continue
        nested = re.search(r"'(\w+Args)'", annotation)
        found = names[key].items or names[key]
        if nested and found.served:
            lines += unknown_properties(getattr(pulumi_docker, nested[1]), found.fields, f"{path}.{key}")
    return lines


@pytest.mark.parametrize(
    ("sdk", "served"),
    [
        (pulumi_docker.container.ContainerArgs, CONTAINER),
        (pulumi_docker.network.NetworkArgs, NETWORK),
        (pulumi_docker.volume.VolumeArgs, VOLUME),
        (pulumi_docker.remote_image.RemoteImageArgs, IMAGE),
        (pulumi_docker.provider.ProviderArgs, SETTINGS),
        (pulumi_random.random_password.RandomPasswordArgs, PASSWORD),
        (pulumi_random.random_string.RandomStringArgs, STRING),
        (pulumi_random.random_id.RandomIdArgs, RandomId.type),
        (pulumi_random.random_bytes.RandomBytesArgs, RandomBytes.type),
        (pulumi_random.random_uuid.RandomUuidArgs, RandomUuid.type),
    ],
)
def test_every_property_of_the_sdk_is_known(sdk: type, served: Type) -> None:
    assert arguments_of(sdk)
    assert unknown_properties(sdk, served.properties, "") == []


# --- check -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "finding"),
    [
        ({}, "image: required, but not given"),
        ({"image": "a", "colour": "blue"}, "colour: unknown property"),
        ({"image": "a", "comand": ["x"]}, "comand: unknown property; did you mean 'command'?"),
        ({"image": "a", "memory": -5}, "memory: -5 is lower than 0"),
        ({"image": "a", "memory": "much"}, "memory: expected a whole number, got a string"),
        ({"image": "a", "memory": 1.5}, "memory: expected a whole number, got 1.5"),
        ({"image": "a", "command": "sleep 1"}, "command: expected a list, got a string"),
        ({"image": "a", "ports": [{"external": 80}]}, "ports[0].internal: required, but not given"),
        (
            {"image": "a", "ports": [{"internal": 80, "extern": 1}]},
            "ports[0].extern: unknown property; did you mean 'external'?",
        ),
        ({"image": "a", "tmpfs": ["/tmp"]}, "tmpfs: expected a mapping of strings, got a list"),
        (
            {"image": "a", "restart": "often"},
            "restart: 'often' does not match no|on-failure|always|unless-stopped",
        ),
        (
            {"image": "a", "healthcheck": {"tests": ["CMD", "x"], "interval": "5"}},
            "healthcheck.interval: '5' is not a duration, for example '30s'",
        ),
        (
            {"image": "a", "uploads": [{"file": "/x", "permissions": "rw"}]},
            "uploads[0].permissions: 'rw' does not match 0[0-7]{3}|",
        ),
        ({"image": "a", "wait": "perhaps"}, "wait: expected true or false, got a string"),
    ],
)
def test_bad_inputs_are_told_by_path(inputs: dict[str, Any], finding: str) -> None:
    assert findings(CONTAINER, inputs) == [finding]


def test_a_bad_value_is_described_and_a_secret_one_not_repeated() -> None:
    assert "s3cret" not in str(findings(CONTAINER, {"image": "a", "memory": "s3cret"}))
    _, failures = check(CONTAINER, {"image": wrap("a"), "restart": wrap("s3cret").with_secret(True)})
    assert [each.reason for each in failures] == [
        "[secret] does not match no|on-failure|always|unless-stopped"
    ]


def test_what_is_known_to_the_sdk_and_not_served_is_refused() -> None:
    assert findings(VOLUME, {"cluster": {"group": "a"}}) == [
        "cluster: not served by this plugin; leave it out or use the official plugin"
    ]


def test_scalars_take_their_proper_type_and_keep_their_secrecy() -> None:
    inputs = {
        "image": wrap("a"),
        "memory": wrap("64").with_secret(True),
        "cpus": wrap(2),
        "readOnly": wrap("true"),
        "logOpts": wrap({"max-file": 3}),
        "user": wrap(None),
    }
    checked, failures = check(CONTAINER, inputs)
    assert failures == []
    assert plain_map(checked) == {
        "image": "a",
        "memory": 64,
        "cpus": "2",
        "readOnly": True,
        "logOpts": {"max-file": "3"},
    }
    assert secret_keys(checked) == {"memory"}


@pytest.mark.parametrize("text", sorted(UNKNOWN_TEXTS))
def test_unknown_values_pass_the_check_and_stay_unknown(text: str) -> None:
    checked, failures = check(CONTAINER, wrap_map({"image": text, "memory": text, "ports": text}))
    assert failures == []
    assert set(plain_map(checked).values()) == {UNKNOWN}
    assert plain(wrap(UNKNOWN)) is UNKNOWN


# --- compare ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "differences"),
    [
        ({}, {"readOnly": False, "restart": "no", "waitTimeout": 60, "networkMode": "bridge"}, {}),
        ({"envs": ["A=1", "B=2"]}, {"envs": ["B=2", "A=1"]}, {}),
        ({"envs": []}, {}, {}),
        (
            {"ports": [{"internal": 80, "external": 1}]},
            {"ports": [{"internal": 80, "external": 1, "ip": "0.0.0.0", "protocol": "tcp"}]},
            {},
        ),
        (
            {"ports": [{"internal": 80}, {"internal": 53}]},
            {"ports": [{"internal": 53}, {"internal": 80}]},
            {},
        ),
        (
            {"command": ["a", "b"]},
            {"command": ["b", "a"]},
            {"command[0]": "update-replace", "command[1]": "update-replace"},
        ),
        ({"memory": 64}, {"memory": 96}, {"memory": "update"}),
        ({"memory": 64}, {}, {"memory": "update-replace"}),
        ({"hostname": "a"}, {}, {"hostname": "delete-replace"}),
        (
            {"tmpfs": {"/tmp": "size=1m"}},
            {"tmpfs": {"/run": "size=1m"}},
            {'tmpfs["/run"]': "add-replace", 'tmpfs["/tmp"]': "delete-replace"},
        ),
        (
            {"healthcheck": {"tests": ["CMD", "a"]}},
            {"healthcheck": {"tests": ["CMD", "a"], "timeout": "0s"}},
            {},
        ),
        ({"user": "1"}, {"user": UNKNOWN}, {"user": "update-replace"}),
        ({}, {"uploads": [{"file": "/x", "content": UNKNOWN}]}, {"uploads": "add-replace"}),
    ],
)
def test_only_what_means_something_else_is_a_change(
    old: dict[str, Any], new: dict[str, Any], differences: dict[str, str]
) -> None:
    found = compare(CONTAINER, {"image": "a", **old}, {"image": "a", **new})
    assert {
        each.path: each.step.value + ("-replace" if each.replace else "") for each in found
    } == differences


# --- what the engine is asked ----------------------------------------------------------------------


def test_a_container_asks_for_no_more_than_it_says() -> None:
    assert create_body(IMAGED) == {
        "Image": "a:1",
        "HostConfig": {
            "NetworkMode": "bridge",
            "Init": False,
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "LogConfig": {"Type": "", "Config": {}},
            "CapAdd": None,
            "CapDrop": None,
        },
    }


def test_updates_name_the_engine_only_where_it_is_concerned() -> None:
    old = {"memory": 64, "memorySwap": 64, "restart": "no", "maxRetryCount": 0}
    assert update_arguments(old, {**old, "destroyGraceSeconds": 9}) == {}
    assert update_arguments(old, {**old, "memory": 96, "memorySwap": -1}) == {
        "mem_limit": 96 * 2**20,
        "memswap_limit": -1,
    }
    assert update_arguments(old, {**old, "restart": "always"}) == {
        "restart_policy": {"Name": "always", "MaximumRetryCount": 0}
    }


def test_a_network_is_asked_for_its_pools() -> None:
    asked = arguments(
        {"name": "n", "ipamConfigs": [{"subnet": "10.91.9.0/24", "gateway": "10.91.9.1"}], "internal": True}
    )
    assert asked["ipam"] == {
        "Driver": "default",
        "Config": [{"Subnet": "10.91.9.0/24", "Gateway": "10.91.9.1"}],
    }
    assert (asked["internal"], asked["check_duplicate"]) == (True, True)


def test_an_endpoint_keeps_addresses_and_aliases() -> None:
    asked = endpoint({"name": "n", "aliases": ["a"], "ipv4Address": "10.91.2.20", "driverOpts": ["k=v=w"]})
    assert asked == {
        "IPAMConfig": {"IPv4Address": "10.91.2.20"},
        "Aliases": ["a"],
        "DriverOpts": {"k": "v=w"},
    }


def test_uploads_travel_as_one_archive() -> None:
    uploads: list[dict[str, Any]] = [
        {"file": "/run/secrets/a", "content": "ä"},
        {"file": "/run.sh", "content": "#!/bin/sh\n", "executable": True},
        {"file": "/perm", "contentBase64": "AAE=", "permissions": "0400", "executable": True},
    ]
    with tarfile.open(fileobj=io.BytesIO(archive(uploads))) as tar:
        members = {each.name: (each.mode, each.uid, each.gid) for each in tar.getmembers()}
        content = tar.extractfile("perm")
        assert content is not None
        assert content.read() == b"\x00\x01"
    assert members == {"run/secrets/a": (0o644, 0, 0), "run.sh": (0o744, 0, 0), "perm": (0o400, 0, 0)}


@pytest.mark.parametrize(
    ("upload", "reason"),
    [
        ({}, "none of them is given, or it is empty"),
        ({"content": "a", "contentBase64": "YQ=="}, "content and contentBase64 are given"),
        ({"contentBase64": "?"}, "contentBase64: "),
        ({"source": "/no/such/file"}, "No such file or directory"),
    ],
)
def test_an_upload_has_one_readable_source(upload: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=re.escape(reason)):
        archive([{"file": "/x", **upload}])


@pytest.mark.parametrize(
    ("joined", "networks"),
    [
        ({"own": "1", "other": "2"}, None),
        ({"own": "1"}, [{"name": "own", "aliases": ["a"]}]),
        (
            {"own": "1", "other": "2", "bridge": "3"},
            [{"name": "own", "aliases": ["a"]}, {"name": "other"}, {"name": "bridge"}],
        ),
    ],
)
def test_leaving_or_joining_a_network_by_hand_is_seen(joined: dict[str, str], networks: Any) -> None:
    given = [{"name": "own", "aliases": ["a"]}, {"name": "other"}]
    seen = {"NetworkSettings": {"Networks": {name: {"NetworkID": each} for name, each in joined.items()}}}
    assert moved({"networksAdvanced": given}, seen).get("networksAdvanced") == networks


# --- small parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("0s", 0), ("0", 0), ("500ms", 5 * 10**8), ("1m30s", 90 * 10**9), ("1.5h", 5400 * 10**9)],
)
def test_durations(text: str, wanted: int) -> None:
    assert nanoseconds(text) == wanted
    assert nanoseconds(duration(wanted)) == wanted


@pytest.mark.parametrize("text", ["", "5", "s", "1 s", "-1s", "1d"])
def test_bad_durations(text: str) -> None:
    assert "is not a duration" in broken_duration(text)


@pytest.mark.parametrize(
    ("name", "parts", "host"),
    [
        ("redis", ("redis", "latest"), "docker.io"),
        ("local/redis:1", ("local/redis", "1"), "docker.io"),
        ("registry.example:5000/a/b", ("registry.example:5000/a/b", "latest"), "registry.example:5000"),
        ("a@sha256:00", ("a@sha256:00", None), "docker.io"),
    ],
)
def test_image_names(name: str, parts: tuple[str, str | None], host: str) -> None:
    assert (split(name), registry(name)) == (parts, host)


def test_types_and_names_are_read_from_urns() -> None:
    urn = "urn:pulumi:acme::portals::portal:index:Portal$docker:index/container:Container::a::b"
    assert resource_type(urn) == "docker:index/container:Container"
    assert made_up_name("a", b"1") == made_up_name("a", b"1") != made_up_name("a", b"2")


def test_random_text_holds_its_minimums() -> None:
    inputs = {
        "length": 12,
        "minUpper": 4,
        "minNumeric": 4,
        "minSpecial": 4,
        "lower": False,
        "overrideSpecial": "_",
    }
    for _ in range(50):
        text = random_text(inputs)
        assert len(text) == 12
        assert (
            sum(each.isupper() for each in text)
            == sum(each.isdigit() for each in text)
            == text.count("_")
            == 4
        )


def test_random_text_without_special_characters() -> None:
    assert random_text({"length": 400, "special": False, "upper": False}).isalnum()


def test_bcrypt_hashes_are_of_the_usual_form_and_salted() -> None:
    one, other = bcrypt_hash("a"), bcrypt_hash("a")
    if one is None:
        pytest.skip("this machine's C library knows no bcrypt")
    assert re.fullmatch(r"\$2a\$10\$[./A-Za-z0-9]{53}", one)
    assert one != other


def test_a_property_of_every_kind_can_be_told() -> None:
    assert {each.kind for each in CONTAINER.properties} == set(Kind)


# --- a network whose leavers the engine has lost count of ------------------------------------------------


def test_an_engine_that_has_lost_count_is_told_from_one_that_is_slow() -> None:
    leaving = Leaving()
    for second, populated, lost in [
        (0.0, True, False),
        (20.0, False, False),
        (20.0 + DESERTED_SECONDS, False, False),
        (21.0 + DESERTED_SECONDS, False, True),
        (22.0 + DESERTED_SECONDS, True, False),
    ]:
        leaving.refused("network a has active endpoints", populated, second)
        assert leaving.lost == lost, second


def test_a_network_that_the_engine_will_not_let_go_is_an_error_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("plugins.docker.network.DESERTED_SECONDS", 0)
    response = requests.Response()
    response.status_code = 403

    class Client:
        def remove_network(self, network: str) -> None:
            raise docker.errors.APIError("403", response, "network oak-private id 1 has active endpoints")

        def inspect_network(self, network: str) -> dict[str, Any]:
            return {"Containers": {}}

    async def delete() -> None:
        engine = Engine()
        monkeypatch.setattr(engine, "client", Client)
        await Network(engine).delete("1", {}, 60)

    with pytest.raises(Refused, match=r"has active endpoints; no container is on it.*restart the engine"):
        asyncio.run(delete())
