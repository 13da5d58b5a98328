"""Routes and addresses, from a tenant."""

from pathlib import Path

import pytest

from config.portal.routes import addresses, caddyfile, host_and_port, nginx_sites, routes
from config.tenant.tenant import Tenant

TENANTS = Path(__file__).resolve().parents[4] / "tenants"


@pytest.fixture(scope="module")
def acme() -> Tenant:
    return Tenant.load("acme", TENANTS)


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("a.example", 80, "a.example"),
        ("a.example", 8080, "a.example:8080"),
        ("a.example", 443, "a.example:443"),
    ],
)
def test_a_base_names_its_port_unless_it_is_http(host: str, port: int, expected: str) -> None:
    assert host_and_port(host, port) == expected


def test_addresses(acme: Tenant) -> None:
    assert addresses(acme) == {
        "lms": "http://acme.localhost:8081",
        "cms": "http://studio.acme.localhost:8081",
    }


def test_every_host_has_its_site_and_no_other_has_one(acme: Tenant) -> None:
    text = caddyfile(routes(acme))
    assert "http://acme.localhost:{$PORTAL_PORT:8080} {" in text
    assert "http://studio.acme.localhost:{$PORTAL_PORT:8080} {" in text
    assert "import up lms 8000" in text
    assert "import up cms 8010" in text
    assert text.count("{") == text.count("}")


def test_authors_may_send_more_than_learners(acme: Tenant) -> None:
    assert {each.service: each.body_limit for each in routes(acme)} == {"lms": 4_000_000, "cms": 250_000_000}


def test_the_mails_of_a_demo_are_on_a_host_of_their_own() -> None:
    demo = Tenant.load("demo", TENANTS)
    assert addresses(demo)["mail-sink"] == "http://mail.demo.localhost:8080"
    site = (
        caddyfile(routes(demo))
        .split("http://mail.demo.localhost:{$PORTAL_PORT:8080} {")[1]
        .split("http://")[0]
    )
    assert "import up mail-sink 8026" in site
    assert "nginx" not in site


def test_the_door_takes_as_much_as_each_host_may_send_and_of_others_next_to_nothing(acme: Tenant) -> None:
    text = nginx_sites(routes(acme))
    servers = text.split("server {")[1:]
    limits = {
        each.split("server_name ")[1].split(";")[0]: int(each.split("max_body_size ")[1].split(";")[0])
        for each in servers
    }
    assert limits == {"_": 1000, "acme.localhost": 4_000_000, "studio.acme.localhost": 250_000_000}
    assert [each.count("default_server") for each in servers] == [1, 0, 0]


def test_what_caddy_logs_has_no_address_and_no_header(acme: Tenant) -> None:
    text = caddyfile(routes(acme))
    for field in ("request>uri", "request>headers", "resp_headers"):
        assert f"{field} delete" in text
    # An access log would be another logger, with a format of its own.
    assert "\n\tlog" not in text.split("(up)")[1]
