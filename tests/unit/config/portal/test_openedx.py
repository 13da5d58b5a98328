"""The layers that the program gives to a portal's Open edX."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from config.portal.openedx import SECRETS, protected_auth, protected_env, settings_files, tenant_variables
from config.tenant.tenant import Tenant
from config.values import checks
from tests.programs import TENANTS


@pytest.fixture(scope="module")
def acme() -> Tenant:
    return Tenant.load("acme", TENANTS)


def markers(value: Any) -> list[str]:
    """The names of the passwords in a value."""
    if isinstance(value, list):
        return [name for each in value for name in markers(each)]
    if not isinstance(value, dict):
        return []
    if set(value) == {"secret"}:
        return [value["secret"]]
    return [name for each in value.values() for name in markers(each)]


def texts(value: Any, key: str = "") -> list[tuple[str, str]]:
    """The texts of a value, each with its key."""
    if isinstance(value, dict) and set(value) != {"secret"}:
        return [each for name, inner in value.items() for each in texts(inner, name)]
    return [(key, value)] if isinstance(value, str) else []


def test_passwords_are_named_and_never_told(acme: Tenant) -> None:
    auth = protected_auth(acme)
    assert set(markers(auth)) == set(SECRETS) - {"meilisearch-master-key"}
    assert not [key for key, _ in texts(auth) if re.search("PASSWORD|password|SECRET|_KEY", key)]


@pytest.mark.parametrize("variant", ["lms", "cms"])
def test_no_password_is_among_the_open_settings(acme: Tenant, variant: str) -> None:
    assert markers(protected_env(acme, variant)) == []


def test_settings_name_the_tenant(acme: Tenant) -> None:
    assert tenant_variables(acme)["EDXAPP_PLATFORM_NAME"] == "Acme Academy"
    env = protected_env(acme, "cms")
    assert (env["SITE_NAME"], env["ALLOWED_HOSTS"]) == (
        "studio.acme.localhost:8081",
        ["studio.acme.localhost", "cms"],
    )
    assert env["LMS_ROOT_URL"] == "http://acme.localhost:8081"
    # Else the lms refuses to lead back to the cms, at an address that nobody has registered.
    assert env["SOCIAL_AUTH_REDIRECT_IS_HTTPS"] is False


def test_settings_files_are_the_same_text_for_the_same_tenant(acme: Tenant) -> None:
    assert settings_files(acme) == settings_files(Tenant.load("acme", TENANTS))
    assert sorted(settings_files(acme)) == [
        "/portal/config/protected.json",
        "/portal/config/release.json",
        "/portal/config/tenant.json",
    ]


@pytest.mark.parametrize(
    "title", ["Akademie \U0001f393", "أكاديمية", "a\u0301 'b' & \\ # % $ {{ d }}", "off"]
)
def test_a_title_of_any_script_is_read_as_it_was_written(acme: Tenant, title: str) -> None:
    assert checks.title(title) == title
    tenant_json = settings_files(replace(acme, title=title))["/portal/config/tenant.json"]
    assert json.loads(tenant_json)["EDXAPP_PLATFORM_NAME"] == title
    assert not re.search(r"\\u[0-9a-f]{4}", tenant_json), "a preview shows what was written"
