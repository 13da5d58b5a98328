"""What Open edX and its front ends are told of each other."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.portal import front_ends
from config.portal.openedx import protected_env, release_variables, tenant_variables
from config.tenant.tenant import Tenant
from config.values.front_ends import FRONT_ENDS
from tests.programs import TENANTS, released

APPS = "http://apps.acme.localhost:8081"


@pytest.fixture(params=["redwood", "verawood"])
def tenant(request: pytest.FixtureRequest, tmp_path: Path) -> Tenant:
    return released("acme", str(request.param), tmp_path)


def extra(tenant: Tenant) -> dict[str, Any]:
    """The settings under Open edX's own names, as the layers give them."""
    values: dict[str, Any] = release_variables(tenant)["EDXAPP_ENV_EXTRA"]
    return {**values, **tenant_variables(tenant).get("EDXAPP_ENV_EXTRA", {})}


def test_a_portal_without_front_ends_is_told_of_none() -> None:
    acme = Tenant.load("acme", TENANTS)
    assert front_ends.names(acme) == ()
    assert "EDXAPP_ENV_EXTRA" not in release_variables(acme)
    assert "ENABLE_CORS_HEADERS" not in release_variables(acme)["EDXAPP_FEATURES"]
    assert "SHARED_COOKIE_DOMAIN" not in protected_env(acme, "lms")


def test_the_lms_knows_the_address_of_each_that_there_is(tenant: Tenant) -> None:
    settings = extra(tenant)
    assert settings["LEARNING_MICROFRONTEND_URL"] == f"{APPS}/learning"
    named = {name for each in front_ends.names(tenant) for name in FRONT_ENDS[each].settings}
    others = {name for each in FRONT_ENDS.values() for name in each.settings} - named
    assert all(settings[name].startswith(f"{APPS}/") for name in named)
    assert not others & set(settings), "of another release"


def test_what_they_ask_the_lms_for_names_this_portal_alone(tenant: Tenant) -> None:
    config = extra(tenant)["MFE_CONFIG"]
    assert (config["LMS_BASE_URL"], config["STUDIO_BASE_URL"]) == (
        "http://acme.localhost:8081",
        "http://studio.acme.localhost:8081",
    )
    assert (config["SITE_NAME"], config["BASE_URL"]) == ("Acme Academy", "apps.acme.localhost:8081")
    hosts = set(re.findall(r"https?://([^/\"]+)", json.dumps(extra(tenant))))
    assert hosts == {f"{each}acme.localhost:8081" for each in ("", "apps.", "studio.")}


def test_their_pages_alone_may_call_with_a_user_s_cookies(tenant: Tenant) -> None:
    settings = extra(tenant)
    assert settings["CORS_ORIGIN_WHITELIST"] == [
        APPS,
        "http://acme.localhost:8081",
        "http://studio.acme.localhost:8081",
    ]
    assert settings["CORS_ALLOW_INSECURE"] is True
    assert "CORS_ORIGIN_ALLOW_ALL" not in settings
    assert release_variables(tenant)["EDXAPP_FEATURES"]["ENABLE_CORS_HEADERS"] is True
    assert settings["LOGIN_REDIRECT_WHITELIST"] == ["apps.acme.localhost:8081", "studio.acme.localhost:8081"]


def test_who_is_logged_in_is_told_below_the_lms_s_host_and_the_session_is_not(tenant: Tenant) -> None:
    lms = protected_env(tenant, "lms")
    assert lms["SHARED_COOKIE_DOMAIN"] == "acme.localhost"
    assert "SESSION_COOKIE_DOMAIN" not in {**lms, **extra(tenant)}
    assert "SHARED_COOKIE_DOMAIN" not in protected_env(tenant, "cms"), "its host need not lie below"


def test_a_tenant_s_file_has_the_last_word_and_takes_no_origin_away(tenant: Tenant) -> None:
    own = {"ACCOUNT_MICROFRONTEND_URL": None, "CORS_ORIGIN_WHITELIST": ["https://other.example"]}
    changed = replace(tenant, settings=own, features={"ENABLE_AUTHN_MICROFRONTEND": False})
    settings = extra(changed)
    assert settings["ACCOUNT_MICROFRONTEND_URL"] is None
    assert settings["CORS_ORIGIN_WHITELIST"] == [
        *extra(tenant)["CORS_ORIGIN_WHITELIST"],
        "https://other.example",
    ]
    assert release_variables(changed)["EDXAPP_FEATURES"]["ENABLE_AUTHN_MICROFRONTEND"] is True
    assert tenant_variables(changed)["EDXAPP_FEATURES"] == {"ENABLE_AUTHN_MICROFRONTEND": False}


def test_the_one_application_of_newer_front_ends_is_told_by_its_own_names(tenant: Tenant) -> None:
    settings = extra(tenant)
    assert ("FRONTEND_SITE_CONFIG" in settings) == (tenant.release.name == "verawood")
    if "FRONTEND_SITE_CONFIG" in settings:
        site = settings["FRONTEND_SITE_CONFIG"]
        assert (site["baseUrl"], site["lmsBaseUrl"]) == (APPS, "http://acme.localhost:8081")
        assert settings["INSTRUCTOR_MICROFRONTEND_URL"] == f"{APPS}/instructor-dashboard"
