"""What the engine is asked for a network, and how one ends that containers will not leave."""

import asyncio
from typing import Any

import docker
import pytest
import requests

from plugins.docker.engine import Engine
from plugins.docker.network import DESERTED_SECONDS, Leaving, Network, arguments
from plugins.errors import Refused


def test_a_network_is_asked_for_its_pools() -> None:
    request = arguments(
        {"name": "n", "ipamConfigs": [{"subnet": "10.91.9.0/24", "gateway": "10.91.9.1"}], "internal": True}
    )
    assert request["ipam"] == {
        "Driver": "default",
        "Config": [{"Subnet": "10.91.9.0/24", "Gateway": "10.91.9.1"}],
    }
    assert (request["internal"], request["check_duplicate"]) == (True, True)


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
        leaving.note_refusal("network a has active endpoints", populated, second)
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
