"""Whether this release's edx-platform knows the settings that it is given, and has them in the same shape."""

import os
import sys
from collections.abc import Mapping, Sequence, Set

# sysexits.h: wrong settings.
CONFIG = 78
# Read here, or by a theme and by the add-ons: edx-platform has no such names.
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
# Of Django's and other libraries' own, which look them up by these beginnings.
LIBRARIES = ("SOCIAL_AUTH_", "EMAIL_", "MEILISEARCH_")


def unknown(told, known, source):
    """The names that nothing of this release says: neither its defaults nor the text of its settings for production."""
    return sorted(
        name
        for name in told
        if name not in known
        and name not in OURS
        and not name.startswith(LIBRARIES)
        and "'%s'" % name not in source
        and '"%s"' % name not in source
    )


def wrong(told, defaults):
    """What has another shape than the release's own default, in words, each with its name."""
    found = []
    for name in sorted(told):
        has, wants = kind(told[name]), kind(defaults.get(name))
        if has and wants and has != wants:
            found.append("%s: found %s, this release expects %s" % (name, has, wants))
    return found


def kind(value):
    """What a value is to whoever reads it; nothing for what says nothing, or is made at start."""
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


def refuse(found):
    """End this process and say why: what follows would fail later, elsewhere, at each request."""
    for each in found:
        sys.stderr.write("openedx: settings: %s\n" % each)
    sys.stderr.flush()
    os._exit(CONFIG)
