"""What the engine is asked for a container."""

from plugins.docker.container.request import create_body, endpoint, update_arguments

IMAGED = {"image": "a:1", "name": "conf-unit"}


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


def test_an_endpoint_keeps_addresses_and_aliases() -> None:
    settings = endpoint({"name": "n", "aliases": ["a"], "ipv4Address": "10.91.2.20", "driverOpts": ["k=v=w"]})
    assert settings == {
        "IPAMConfig": {"IPv4Address": "10.91.2.20"},
        "Aliases": ["a"],
        "DriverOpts": {"k": "v=w"},
    }
