"""The layers that the program gives to a portal's Open edX."""

import json
import re

import pytest

from config.openedx import SECRETS, protected_auth, protected_env, settings_files, tenant_variables
from config.tenant import Tenant
from tests.programs import TENANTS


@pytest.fixture(scope="module")
def acme() -> Tenant:
    return Tenant.load("acme", TENANTS)


def test_passwords_are_named_and_never_told(acme: Tenant) -> None:
    told = json.dumps(protected_auth(acme))
    assert set(re.findall(r"secret:([a-z0-9-]+)", told)) == set(SECRETS) - {"meilisearch-master-key"}
    assert all(
        value.startswith("secret:") for value in re.findall(r'(?:PASSWORD|SECRET|_KEY)": "([^"]*)"', told)
    )


@pytest.mark.parametrize("variant", ["lms", "cms"])
def test_no_password_is_among_the_open_settings(acme: Tenant, variant: str) -> None:
    assert "secret:" not in json.dumps(protected_env(acme, variant))


def test_settings_name_the_tenant(acme: Tenant) -> None:
    assert tenant_variables(acme)["EDXAPP_PLATFORM_NAME"] == "Acme Academy"
    told = protected_env(acme, "cms")
    assert (told["SITE_NAME"], told["ALLOWED_HOSTS"]) == (
        "studio.acme.localhost",
        ["studio.acme.localhost", "cms"],
    )
    assert told["LMS_ROOT_URL"] == "http://acme.localhost:8081"


def test_settings_files_are_the_same_text_for_the_same_tenant(acme: Tenant) -> None:
    assert settings_files(acme) == settings_files(Tenant.load("acme", TENANTS))
    assert sorted(settings_files(acme)) == [
        "/portal/config/protected.yml",
        "/portal/config/release.yml",
        "/portal/config/tenant.yml",
    ]
