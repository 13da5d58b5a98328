"""What Open edX is told of its front ends, and these of it, in a portal that has them."""

from typing import Any

from config.portal.routes import addresses, host_and_port, hosts
from config.tenant.tenant import Tenant
from config.values.front_ends import FRONT_ENDS

SERVICE = "mfe"


def names(tenant: Tenant) -> tuple[str, ...]:
    """The front ends that a portal has."""
    service = tenant.services.get(SERVICE)
    return service.hub.front_ends if service else ()


def features(tenant: Tenant) -> dict[str, bool]:
    """Open edX's features that follow from them."""
    ends = names(tenant)
    own = {feature: True for name in ends for feature in FRONT_ENDS[name].features}
    return {"ENABLE_CORS_HEADERS": True, **own} if ends else {}


def settings(tenant: Tenant) -> dict[str, Any]:
    """Settings of lms and cms, by Open edX's own names. A tenant's file may say otherwise of each."""
    ends = names(tenant)
    if not ends:
        return {}
    urls = addresses(tenant)
    host = host_and_port(hosts(tenant)[SERVICE], tenant.listen.port)
    own: dict[str, Any] = {
        name: urls[SERVICE] + path for each in ends for name, path in FRONT_ENDS[each].settings.items()
    }
    if "authn" in ends:
        own["AUTHN_MICROFRONTEND_DOMAIN"] = f"{host}/authn"
    if "site" in ends:
        own["FRONTEND_SITE_CONFIG"] = _site(tenant)
    return {
        **own,
        # Pages of the front ends' host may call lms and cms with their user's cookies, and nobody else's may.
        "CORS_ALLOW_INSECURE": urls[SERVICE].startswith("http:"),
        "CORS_ORIGIN_WHITELIST": [urls[SERVICE], urls["lms"], urls["cms"]],
        "ENABLE_MFE_CONFIG_API": True,
        # Whoever changes a setting sees it at once.
        "MFE_CONFIG_API_CACHE_TIMEOUT": 1,
        "LOGIN_REDIRECT_WHITELIST": [host, host_and_port(tenant.hosts.cms, tenant.listen.port)],
        "MFE_CONFIG": _config(tenant, host),
    }


def cookie_domain(tenant: Tenant) -> str:
    """The domain of the cookies that the lms shares with its front ends, which are below it; not that of the session."""
    return tenant.hosts.lms if names(tenant) else ""


def _config(tenant: Tenant, host: str) -> dict[str, Any]:
    """What each front end asks the lms for when it starts (`/api/mfe_config/v1`)."""
    urls = addresses(tenant)
    lms, cms = urls["lms"], urls["cms"]
    config: dict[str, Any] = {
        "ACCESS_TOKEN_COOKIE_NAME": "edx-jwt-cookie-header-payload",
        "BASE_URL": host,
        "CREDENTIALS_BASE_URL": "",
        "CSRF_TOKEN_API_PATH": "/csrf/api/v1/token",
        "DISCOVERY_API_BASE_URL": "",
        "FAVICON_URL": f"{lms}/favicon.ico",
        "INFO_EMAIL": tenant.admin.email,
        "LANGUAGE_PREFERENCE_COOKIE_NAME": "openedx-language-preference",
        "LMS_BASE_URL": lms,
        "LOGIN_URL": f"{lms}/login",
        "LOGOUT_URL": f"{lms}/logout",
        **dict.fromkeys(
            ("LOGO_URL", "LOGO_TRADEMARK_URL", "LOGO_WHITE_URL"), f"{lms}/theming/asset/images/logo.png"
        ),
        "MARKETING_SITE_BASE_URL": lms,
        "PASSWORD_RESET_SUPPORT_LINK": f"mailto:{tenant.admin.email}",
        "REFRESH_ACCESS_TOKEN_ENDPOINT": f"{lms}/login_refresh",
        "SITE_NAME": tenant.title,
        "STUDIO_BASE_URL": cms,
        "USER_INFO_COOKIE_NAME": "edx-user-info",
    }
    for name in names(tenant):
        config |= {key: urls[SERVICE] + path for key, path in FRONT_ENDS[name].addresses.items()}
        config |= FRONT_ENDS[name].switches
    return config


def _site(tenant: Tenant) -> dict[str, Any]:
    """The same for the one application of the newer front ends, by its names."""
    urls = addresses(tenant)
    return {
        "baseUrl": urls[SERVICE],
        "cmsBaseUrl": urls["cms"],
        "commonAppConfig": {},
        "externalRoutes": [
            {"role": f"org.openedx.frontend.role.{role}", "url": url}
            for role, url in (
                ("account", f"{urls[SERVICE]}/account/"),
                ("logout", f"{urls['lms']}/logout"),
                ("profile", f"{urls[SERVICE]}/profile/"),
            )
        ],
        "lmsBaseUrl": urls["lms"],
        "loginUrl": f"{urls['lms']}/login",
        "logoutUrl": f"{urls['lms']}/logout",
    }
