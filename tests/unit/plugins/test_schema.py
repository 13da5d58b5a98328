"""What is checked of a resource's inputs, and what is said of bad ones."""

from typing import Any

import pytest

from plugins.docker.container.properties import CONTAINER
from plugins.docker.volume import VOLUME
from plugins.schema import Kind, Type, check
from plugins.values import UNKNOWN, UNKNOWN_TEXTS, plain, plain_map, secret_keys, wrap, wrap_map


def findings(resource: Type, inputs: dict[str, Any]) -> list[str]:
    _, failures = check(resource, wrap_map(inputs))
    return [f"{each.path}: {each.reason}" for each in failures]


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


def test_a_property_of_every_kind_can_be_told() -> None:
    assert {each.kind for each in CONTAINER.properties} == set(Kind)
