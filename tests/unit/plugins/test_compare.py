"""What counts as a change between inputs."""

from typing import Any

import pytest

from plugins.compare import compare
from plugins.docker.container.properties import CONTAINER
from plugins.values import UNKNOWN

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
    differing = compare(CONTAINER, {"image": "a", **old}, {"image": "a", **new})
    assert {
        each.path: each.step.value + ("-replace" if each.replace else "") for each in differing
    } == differences
