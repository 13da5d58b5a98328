"""Routes and addresses, from a tenant."""

from pathlib import Path

import pytest

from config.routes import addresses, base, caddyfile, routes
from config.tenant import Tenant

TENANTS = Path(__file__).resolve().parents[2] / "tenants"


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
    assert base(host, port) == expected


def test_addresses(acme: Tenant) -> None:
    assert addresses(acme) == {
        "lms": "http://acme.localhost:8081",
        "cms": "http://studio.acme.localhost:8081",
    }


def test_every_host_has_its_site_and_no_other_has_one(acme: Tenant) -> None:
    told = caddyfile(routes(acme))
    assert "http://acme.localhost:8080 {" in told
    assert "http://studio.acme.localhost:8080 {" in told
    assert "import up lms 8000" in told
    assert "import up cms 8010" in told
    assert told.count("{") == told.count("}")


def test_authors_may_send_more_than_learners(acme: Tenant) -> None:
    assert {each.service: each.body_limit for each in routes(acme)} == {"lms": "4MB", "cms": "250MB"}


def test_the_mails_of_a_demo_are_on_a_host_of_their_own() -> None:
    demo = Tenant.load("demo", TENANTS)
    assert addresses(demo)["mail-sink"] == "http://mail.demo.localhost:8080"
    site = caddyfile(routes(demo)).split("http://mail.demo.localhost:8080 {")[1].split("http://")[0]
    assert "import up mail-sink 8026" in site
    assert "nginx" not in site
