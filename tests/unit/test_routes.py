"""Routes, addresses and Open edX's settings, from a tenant."""

import json
from pathlib import Path

import pytest

from config.openedx import SECRETS, settings, settings_files
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


@pytest.mark.parametrize("variant", ["lms", "cms"])
def test_settings_hold_no_password(acme: Tenant, variant: str) -> None:
    told = json.dumps(settings(acme, variant, 1)).lower()
    assert "password" not in told
    assert not [name for name in SECRETS if name in told]


def test_settings_name_the_tenant(acme: Tenant) -> None:
    told = settings(acme, "cms", 3)
    assert (told["PLATFORM_NAME"], told["SITE_NAME"], told["WORKERS"]) == (
        "Acme Academy",
        "studio.acme.localhost",
        3,
    )
    assert told["LMS_ROOT_URL"] == "http://acme.localhost:8081"


def test_settings_files_are_the_same_text_for_the_same_tenant(acme: Tenant) -> None:
    assert settings_files(acme) == settings_files(Tenant.load("acme", TENANTS))
