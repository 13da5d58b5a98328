"""Where a portal's pages are, and how far back its logs go."""

from contextlib import nullcontext

import docker.errors
import pytest

from automation.engine import inventory, service_logs
from automation.engine.inventory import Container
from automation.engine.service_logs import address, follow_logs, seconds
from automation.errors import NotUp
from config.reading.errors import ConfigError
from config.tenant.tenant import Tenant
from tests.fake_engine import FakeEngine
from tests.programs import TENANTS

DEMO = Tenant.load("demo", TENANTS)


@pytest.mark.parametrize(("since", "seconds_ago"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86400)])
def test_a_time_back_from_now(since: str, seconds_ago: int) -> None:
    assert seconds(since) == seconds_ago


@pytest.mark.parametrize("since", ["", "10", "m", "-1m", "1.5h", "1w"])
def test_what_is_no_time_back(since: str) -> None:
    with pytest.raises(ConfigError, match="for example '10m'"):
        seconds(since)


def test_the_address_of_a_page() -> None:
    assert address(DEMO, "cms") == "http://studio.demo.localhost:8080"


def test_a_service_without_a_page() -> None:
    with pytest.raises(ConfigError, match="'mysql' has no page"):
        address(DEMO, "mysql")


def container(service: str) -> Container:
    return Container(
        service=service, name=f"oak-{service}", group="openedx", state="running", health="healthy", image="x"
    )


def test_lines_are_whole_and_one_log_that_breaks_off_ends_no_other() -> None:
    pieces = [b"one\ntw", b"o\nthree"]
    engine = FakeEngine(words={"oak-lms": pieces, "oak-cms": [pieces[0], docker.errors.APIError("gone")]})
    lines = list(follow_logs(engine, [container("lms"), container("cms")], {}))
    assert [line for service, line in lines if service == "lms"] == ["one", "two", "three"]
    assert [line for service, line in lines if service == "cms"] == [
        "one",
        "(its log can no longer be read: gone)",
    ]


def test_logs_of_a_portal_that_is_not_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words are right, so it is no matter of words: the exit code is that of a portal that is not up."""
    monkeypatch.setattr(inventory, "connect", lambda host: nullcontext(None))
    monkeypatch.setattr(inventory, "containers", lambda client, tenant: [])
    with pytest.raises(NotUp, match=r"demo is not up: it has no container; .*\./portal up demo") as raised:
        list(service_logs.logs(DEMO))
    assert raised.value.exit_code == 6
    monkeypatch.setattr(inventory, "containers", lambda client, tenant: [container("lms")])
    with pytest.raises(ConfigError, match="has no service 'mysq'"):
        list(service_logs.logs(DEMO, "mysq"))
