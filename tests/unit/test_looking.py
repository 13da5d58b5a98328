"""Where a portal's pages are, and how far back its logs go."""

import pytest

from automation.looking import address, seconds
from config.errors import ConfigError
from config.tenant import Tenant
from tests.programs import TENANTS

DEMO = Tenant.load("demo", TENANTS)


@pytest.mark.parametrize(("since", "found"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86400)])
def test_a_time_back_from_now(since: str, found: int) -> None:
    assert seconds(since) == found


@pytest.mark.parametrize("since", ["", "10", "m", "-1m", "1.5h", "1w"])
def test_what_is_no_time_back(since: str) -> None:
    with pytest.raises(ConfigError, match="such as '10m'"):
        seconds(since)


def test_the_address_of_a_page() -> None:
    assert address(DEMO, "cms") == "http://studio.demo.localhost:8080"


def test_a_service_without_a_page() -> None:
    with pytest.raises(ConfigError, match="'mysql' has no page"):
        address(DEMO, "mysql")
