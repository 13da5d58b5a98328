"""Checks that this release's edx-platform has the settings that it gets, and with values of the same type."""

import os
import re
import sys
from collections.abc import Mapping, Sequence, Set
from typing import Any, Container, Dict, List

# sysexits.h: wrong settings.
CONFIG = 78
# Read by this package, a theme or the add-ons; edx-platform has no such names.
OURS = frozenset(
    (
        "ADMIN",
        "BRAND_COLORS",
        "CELERY_RESULT_REDIS",
        "CMS_ROOT_URL",
        "CUSTOM_CERT_ISSUER",
        "FOOTER_NAVIGATION_LINKS",
        "HEADER_NAVIGATION_LINKS",
        "JWT_SIGNING_SEED",
        "LEARNER_SUPPORT_CONFIG",
        "OAUTH_OIDC_ISSUER",
        "PRIVATE_PORTAL_URL",
    )
)
# Prefixes of settings that Django and other libraries read.
LIBRARIES = ("CORS_", "SOCIAL_AUTH_", "EMAIL_", "MEILISEARCH_")
# Lms and cms get the same of the front ends, and each release reads the names of those that it has.
FRONT_ENDS = re.compile(
    r"\w+_MICROFRONTEND_(?:URL|DOMAIN)|(?:ENABLE_)?MFE_CONFIG\w*|FRONTEND_SITE_CONFIG|WRITABLE_GRADEBOOK_URL|SHARED_COOKIE_DOMAIN"
)


def unknown(settings: Dict[str, Any], known: Container[str], source: str) -> List[str]:
    """The names that this release does not use: not in its defaults, nor in the source of its production settings."""
    return sorted(
        name
        for name in settings
        if name not in known
        and name not in OURS
        and not name.startswith(LIBRARIES)
        and not FRONT_ENDS.fullmatch(name)
        and "'%s'" % name not in source
        and '"%s"' % name not in source
    )


def wrong(settings: Dict[str, Any], defaults: Dict[str, Any]) -> List[str]:
    """One finding for each setting whose value has another type than the release's default."""
    findings = []
    for name in sorted(settings):
        has, wants = kind(settings[name]), kind(defaults.get(name))
        if has and wants and has != wants:
            findings.append("%s: found %s, this release expects %s" % (name, has, wants))
    return findings


def kind(value: Any) -> str:
    """The type of a value in words; an empty text for None and for objects that are made at the start."""
    for types, words in (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "a text"),
        (Mapping, "a mapping"),
        ((Sequence, Set), "a list"),
    ):
        if isinstance(value, types):
            return words
    return ""


def refuse(findings: List[str]) -> None:
    """Write the findings and end this process with 78. Otherwise each request would fail later."""
    for each in findings:
        sys.stderr.write("openedx: settings: %s\n" % each)
    sys.stderr.flush()
    os._exit(CONFIG)
