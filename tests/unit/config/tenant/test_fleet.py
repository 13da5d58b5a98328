"""config/fleet.yml: what all tenants share."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from config.reading.errors import ConfigError
from config.tenant.fleet import Fleet


def test_the_fleet_s_file_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yml"
    for file_text, finding in (
        (
            "pool: 10.77.0.0/16\npools: 1",
            "pools: is not known; did you mean 'pool'? known keys here: pool, mirror",
        ),
        (
            "pool: 8.8.0.0/16",
            "pool: '8.8.0.0/16' is not a pool, expected a private network from /8 to /24, for example ",
        ),
        (
            "pool: 10.77.0.0/25",
            "pool: '10.77.0.0/25' is not a pool, expected a private network from /8 to /24, for ",
        ),
        ("{}", "pool: is missing, expected text, for example '10.77.0.0/16'"),
        (
            "pool: 10.77.0.0/16\nmirror: https://registry.acme.example",
            "mirror: 'https://registry.acme.example' is not a registry, with folders or without, for example ",
        ),
        ("pool: 10.77.0.0/16\nmirror: hub", "mirror: 'hub' is not a registry"),
    ):
        file.write_text(file_text)
        with pytest.raises(ConfigError) as caught:
            Fleet.load(file)
        (line,) = caught.value.findings
        assert line.startswith(f"{tmp_path.name}/fleet.yml: {finding}")


def test_the_repo_s_own_fleet_is_good() -> None:
    assert Fleet.load(Path(__file__).parents[4] / "config" / "fleet.yml").pool == IPv4Network("10.77.0.0/16")
