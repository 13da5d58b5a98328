"""What is seen of a container that was changed by hand."""

from typing import Any

import pytest

from plugins.docker.container.container import changed_networks


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
    networks_input = [{"name": "own", "aliases": ["a"]}, {"name": "other"}]
    inspection = {
        "NetworkSettings": {"Networks": {name: {"NetworkID": each} for name, each in joined.items()}}
    }
    assert (
        changed_networks({"networksAdvanced": networks_input}, inspection).get("networksAdvanced") == networks
    )
