"""The changes that a portal makes to edx-platform's own production settings.

`settings` are the settings of the file that the configurator wrote, `space` is the namespace of the settings module, and
`common` that of the release's `<variant>.envs.common`. Each function returns the settings that it changes.
"""

import importlib
import importlib.util
import os
import re
import sys
from typing import Any, Dict, Iterable, List

from portal_settings import logs, shapes, signing

# The static files that the build of a public image collected.
STATIC_ROOT = "/openedx/staticfiles"
# A directory below that of the uploads which nginx does not serve (images/nginx/nginx.conf lists what it serves).
PRIVATE = "private"
# The path of the reports that pages.py serves, on the lms.
REPORTS_URL = "/portal/reports/"
Settings = Dict[str, Any]
ROUTER = "openedx.core.lib.django_courseware_routers.StudentModuleHistoryExtendedRouter"
HISTORY = "coursewarehistoryextended"
PLACEHOLDER_DOMAIN = "@example.com"
# The placeholder in the release: everybody knows this key, and it opens interfaces of the lms.
KNOWN_KEY = "PUT_YOUR_API_KEY_HERE"
# Settings that the tenant's file may set otherwise.
TENANT_MAY_SET = (
    "ACE_CHANNEL_DEFAULT_EMAIL",
    "ACE_CHANNEL_TRANSACTIONAL_EMAIL",
    "ACE_ENABLED_CHANNELS",
    "API_ACCESS_FROM_EMAIL",
    "BULK_EMAIL_DEFAULT_FROM_EMAIL",
    "CELERY_TASK_RESULT_EXPIRES",
    "CSRF_COOKIE_SAMESITE",
    "CSRF_TRUSTED_ORIGINS",
    "DCS_SESSION_COOKIE_SAMESITE",
    "DJANGO_REDIS_IGNORE_EXCEPTIONS",
    "SEARCH_SKIP_ENROLLMENT_START_DATE_FILTERING",
    "SERVER_EMAIL",
    "SESSION_COOKIE_SAMESITE",
    "STUDIO_NAME",
    "X_FRAME_OPTIONS",
)
# How long the result of a task is kept.
RESULTS_SECONDS = 3600


def apply(space: Settings, variant: str) -> None:
    """Change the settings of a variant (lms, cms) in place."""
    common = vars(importlib.import_module(variant + ".envs.common"))
    settings = _read(variant)
    for part in (
        database(settings, common),
        documents(space, settings, common),
        caches(settings, common),
        tasks(settings),
        search(settings),
        hosts_and_cookies(settings, variant),
        no_known_key(space),
        tokens(space, settings),
        mail(space, settings),
        studio_name(space),
        front_ends(space, settings),
        files(space, settings, common, variant),
        one_database(space),
        no_code_in_problems(),
        drafts(settings, variant),
        tracking(),
        pages(space, variant),
        {"LOGGING": logs.to_output(space["LOGGING"])},
    ):
        # The tenant's file cannot set the others: config/tenant/own_settings.py refuses them there.
        space.update(
            {
                name: value
                for name, value in part.items()
                if name not in settings or name not in TENANT_MAY_SET
            }
        )
    space.pop("JWT_SIGNING_SEED", None)
    _rebind_features(space)


def _read(variant: str) -> Settings:
    import yaml

    with open(os.environ[variant.upper() + "_CFG"], encoding="utf-8") as file:
        settings = yaml.safe_load(file)  # type: Settings
        return settings


def check(variant: str) -> None:
    """Check the settings before anything reads or changes them.

    A value of a wrong type ends this process; a name that this release does not use is written to the log.
    """
    from django.conf import global_settings

    settings, common = _read(variant), vars(importlib.import_module(variant + ".envs.common"))
    defaults = dict(vars(global_settings))
    defaults.update(common)
    findings = shapes.wrong(settings, defaults)
    findings += [
        "FEATURES/" + each for each in shapes.wrong(settings.get("FEATURES") or {}, _features(common))
    ]
    if not settings.get("JWT_SIGNING_SEED"):
        findings.append("JWT_SIGNING_SEED: is missing, expected the secret of that name")
    if findings:
        shapes.refuse(findings)
    spec = importlib.util.find_spec(variant + ".envs.production")
    assert spec
    assert spec.origin
    with open(spec.origin, encoding="utf-8") as file:
        unknown = shapes.unknown(settings, defaults, file.read())
    if unknown:
        sys.stderr.write("openedx: settings that this release does not read: %s\n" % ", ".join(unknown))


def _features(common: Settings) -> Settings:
    """The features of a release that keeps them in a mapping, or in a proxy of one."""
    features = common.get("FEATURES") or {}
    return {name: features[name] for name in features} if hasattr(features, "keys") else {}


def _rebind_features(space: Settings) -> None:
    """In later releases each feature is a setting, and FEATURES reads them from the module that it was made for."""
    try:
        proxy = importlib.import_module("openedx.core.lib.features_setting_proxy").FeaturesProxy
    except ImportError:
        return
    space["FEATURES"] = proxy(space)


def database(settings: Settings, common: Settings) -> Settings:
    """The release's own options of the database (transactions), with the portal's server."""
    own = common["DATABASES"]["default"]
    merged = dict(own, **settings["DATABASES"]["default"])
    merged["OPTIONS"] = dict(own.get("OPTIONS") or {}, **merged.get("OPTIONS") or {})
    return {"DATABASES": {"default": merged}}


def documents(space: Settings, settings: Settings, common: Settings) -> Settings:
    """Courses and their files: the portal's mongo, wherever the release names one."""
    store = dict(common["DOC_STORE_CONFIG"], **settings["DOC_STORE_CONFIG"])
    # The default is a replica set with an empty name, and mongo's client would search its members without end.
    store["replicaSet"] = store.get("replicaSet") or None
    content = dict(common["CONTENTSTORE"], DOC_STORE_CONFIG=store)
    if "OPTIONS" in content:
        content["OPTIONS"] = {name: store.get(name, value) for name, value in content["OPTIONS"].items()}
    for each in _stores(space["MODULESTORE"]):
        each["DOC_STORE_CONFIG"] = store
        each.setdefault("OPTIONS", {})["fs_root"] = _data(settings)
    return {"DOC_STORE_CONFIG": store, "CONTENTSTORE": content, "MODULESTORE": space["MODULESTORE"]}


def _stores(modulestore: Settings) -> Iterable[Settings]:
    default_stores = modulestore["default"]["OPTIONS"]["stores"]
    stores = default_stores.values() if hasattr(default_stores, "values") else default_stores  # type: Iterable[Settings]
    return stores


def _data(settings: Settings) -> str:
    return os.path.join(settings["MEDIA_ROOT"], PRIVATE, "data")


def caches(settings: Settings, common: Settings) -> Settings:
    """Each cache that the release names, with its own keys and ages, in the portal's store."""
    ours = settings["CACHES"]["default"]
    prefix = ours.get("KEY_PREFIX", "")
    made = {}  # type: Settings
    for name, own in common["CACHES"].items():
        if "locmem" in own["BACKEND"] or "file" in own["BACKEND"]:
            made[name] = own
            continue
        made[name] = dict(own, **ours)
        if "memcached" in own["BACKEND"] and "memcached" in ours["BACKEND"]:
            # With the library that this release has.
            made[name]["BACKEND"] = own["BACKEND"]
        made[name]["KEY_PREFIX"] = ".".join((prefix, own.get("KEY_PREFIX") or name))
    made.setdefault("default", ours)
    made.setdefault("loc_cache", {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"})
    # Users stay logged in while the cache is unavailable.
    return {
        "CACHES": made,
        "DJANGO_REDIS_IGNORE_EXCEPTIONS": True,
        "SESSION_ENGINE": "django.contrib.sessions.backends.cached_db",
    }


def tasks(settings: Settings) -> Settings:
    """Keep results of tasks in redis, whichever broker carries the tasks."""
    where = settings["CELERY_RESULT_REDIS"]
    return {
        "CELERY_RESULT_BACKEND": "redis://:{password}@{host}:{port}/{db}".format(**where),
        "CELERY_TASK_RESULT_EXPIRES": RESULTS_SECONDS,
        "CELERYD_HIJACK_ROOT_LOGGER": False,
    }


def search(settings: Settings) -> Settings:
    """The settings under the names that the search's library reads: production overwrites them for indexed courseware."""
    made = {name: settings[name] for name in ("ELASTIC_SEARCH_CONFIG", "SEARCH_ENGINE") if settings.get(name)}
    # A course without a date of enrolment can be enrolled in already, and must be found.
    made["SEARCH_SKIP_ENROLLMENT_START_DATE_FILTERING"] = True
    return made


def hosts_and_cookies(settings: Settings, variant: str) -> Settings:
    """The host names that are answered, and the flags of cookies: secure if browsers use HTTPS."""
    secure = settings.get("HTTPS") == "on"
    return {
        "ALLOWED_HOSTS": list(settings["ALLOWED_HOSTS"]),
        "SESSION_COOKIE_SECURE": secure,
        "CSRF_COOKIE_SECURE": secure,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "DCS_SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SAMESITE": "Lax",
        "OAUTH_ENFORCE_SECURE": secure,
        "OAUTH_ENFORCE_CLIENT_SECURE": secure,
        "CSRF_TRUSTED_ORIGINS": _origins(settings, variant),
        "X_FRAME_OPTIONS": "SAMEORIGIN",
    }


def _origins(settings: Settings, variant: str) -> List[str]:
    """Trusted origins, with the pages of the front ends: with the scheme since Django 4, only hosts before."""
    import django

    roots = [settings[name] for name in ("LMS_ROOT_URL", "CMS_ROOT_URL")]
    roots += [each for each in settings.get("CORS_ORIGIN_WHITELIST") or () if each not in roots]
    return roots if django.VERSION >= (4, 0) else [root.partition("://")[2] for root in roots]


def no_known_key(space: Settings) -> Settings:
    """No API key in place of the placeholder of the release's own files."""
    return {"EDX_API_KEY": None} if space.get("EDX_API_KEY") == KNOWN_KEY else {}


def tokens(space: Settings, settings: Settings) -> Settings:
    """The key that signs the tokens between services, with issuer and audience."""
    private, public = signing.keys(settings["JWT_SIGNING_SEED"])
    issuer = {"ISSUER": settings["OAUTH_OIDC_ISSUER"], "AUDIENCE": signing.AUDIENCE}
    return {
        "JWT_AUTH": dict(
            space["JWT_AUTH"],
            JWT_AUDIENCE=issuer["AUDIENCE"],
            JWT_ISSUER=issuer["ISSUER"],
            JWT_ISSUERS=[dict(issuer, SECRET_KEY=settings["SECRET_KEY"])],
            JWT_PRIVATE_SIGNING_JWK=private,
            JWT_PUBLIC_SIGNING_JWK_SET=public,
            JWT_SECRET_KEY=settings["SECRET_KEY"],
        )
    }


def mail(space: Settings, settings: Settings) -> Settings:
    """Addresses of the portal in place of the release's placeholders, so that no mail and no page names example.com."""
    contact = settings.get("CONTACT_EMAIL") or settings["DEFAULT_FROM_EMAIL"]
    made = {
        name: contact
        for name, value in space.items()
        if name.endswith("_EMAIL") and isinstance(value, str) and value.endswith(PLACEHOLDER_DOMAIN)
    }
    sender = settings["DEFAULT_FROM_EMAIL"]
    made.update(
        dict.fromkeys(("SERVER_EMAIL", "BULK_EMAIL_DEFAULT_FROM_EMAIL", "API_ACCESS_FROM_EMAIL"), sender)
    )
    made.update(
        ACE_ENABLED_CHANNELS=["django_email"],
        ACE_CHANNEL_DEFAULT_EMAIL="django_email",
        ACE_CHANNEL_TRANSACTIONAL_EMAIL="django_email",
    )
    return made


def studio_name(space: Settings) -> Settings:
    """The studio's name in its mails, which name the portal before it: the release's own is a placeholder."""
    return {"STUDIO_NAME": space["STUDIO_SHORT_NAME"]} if "STUDIO_SHORT_NAME" in space else {}


def front_ends(space: Settings, settings: Settings) -> Settings:
    """What the front ends are told, with the name and the logo that the portal's own admins may change."""
    config = space.get("MFE_CONFIG")
    if not config:
        return {}
    shown = {"SITE_NAME": space["PLATFORM_NAME"]}
    for name in ("LOGO_URL", "FAVICON_URL"):
        place = settings.get(name) or ""
        if place:
            # They are on another host than the lms, whose path it is.
            shown[name] = settings["LMS_ROOT_URL"] + place if place.startswith("/") else place
    return {"MFE_CONFIG": dict(config, **shown)}


def files(space: Settings, settings: Settings, common: Settings, variant: str) -> Settings:
    """Uploads on the drive: files that pages show below MEDIA_ROOT, all others below its private directory."""
    media, data = settings["MEDIA_ROOT"], _data(settings)
    private = os.path.dirname(data)
    root = STATIC_ROOT if variant == "lms" else os.path.join(STATIC_ROOT, "studio")
    path = type(space["STATIC_ROOT"])
    made = {
        "DATA_DIR": type(space["DATA_DIR"])(data),
        "GITHUB_REPO_ROOT": type(space.get("GITHUB_REPO_ROOT", ""))(data),
        "GIT_REPO_DIR": data,
        "GIT_REPO_EXPORT_DIR": data,
        "DJFS": {"type": "osfs", "directory_root": os.path.join(private, "djfs"), "url_root": "/portal/none"},
        "EMAIL_FILE_PATH": os.path.join(private, "mail"),
        "GRADES_DOWNLOAD": {
            "STORAGE_CLASS": "django.core.files.storage.FileSystemStorage",
            "STORAGE_KWARGS": {"location": os.path.join(private, "reports"), "base_url": REPORTS_URL},
            "STORAGE_TYPE": "",
            "BUCKET": None,
            "ROOT_PATH": None,
        },
        "ORA2_FILEUPLOAD_BACKEND": "filesystem",
        "ORA2_FILEUPLOAD_ROOT": os.path.join(private, "ora2"),
        "ORA2_FILEUPLOAD_CACHE_NAME": "default",
        "STATIC_ROOT": path(root),
        "STATIC_ROOT_BASE": STATIC_ROOT,
        "STATIC_URL": settings["STATIC_URL"] + ("" if variant == "lms" else "studio/"),
    }
    financial = space.get("FINANCIAL_REPORTS")
    if financial:
        made["FINANCIAL_REPORTS"] = dict(financial, ROOT_PATH=os.path.join(private, "financial"))
    for name in ("VIDEO_IMAGE_SETTINGS", "VIDEO_TRANSCRIPTS_SETTINGS"):
        if name in space:
            kwargs = dict(
                space[name].get("STORAGE_KWARGS") or {}, location=media, base_url=settings["MEDIA_URL"]
            )
            made[name] = dict(space[name], STORAGE_KWARGS=kwargs)
    if "PROFILE_IMAGE_BACKEND" in space:
        made["PROFILE_IMAGE_BACKEND"] = dict(
            space["PROFILE_IMAGE_BACKEND"],
            options={
                "location": os.path.join(media, "profile-images/"),
                "base_url": settings["MEDIA_URL"] + "profile-images/",
            },
        )
    if "WEBPACK_LOADER" in space:
        made["WEBPACK_LOADER"] = {
            name: dict(loader, STATS_FILE=os.path.join(root, os.path.basename(str(loader["STATS_FILE"]))))
            for name, loader in space["WEBPACK_LOADER"].items()
        }
    return made


def one_database(space: Settings) -> Settings:
    """Keep learners' answers in the portal's only database: the release has a second one for their history."""
    return {
        "DATABASE_ROUTERS": [each for each in space["DATABASE_ROUTERS"] if each != ROUTER],
        "INSTALLED_APPS": [each for each in space["INSTALLED_APPS"] if each.split(".")[-1] != HISTORY],
    }


def no_code_in_problems() -> Settings:
    """Programs in problems of a course do not run: no image has the jail for them, and without it they run as the lms."""
    try:
        jail = importlib.import_module("codejail.jail_code")
    except ImportError:
        jail = None
    nowhere = "/nonexistent/python"
    if jail:
        jail.configure("python", nowhere, user=None)
        # Older releases look for the jail only when first imported, and run code without it if there was none then.
        runs = importlib.import_module("codejail.safe_exec")
        if getattr(runs, "UNSAFE", False) or getattr(runs, "ALWAYS_BE_UNSAFE", False):
            shapes.refuse(["CODE_JAIL: was read too early, so programs in problems would run without a jail"])
    return {
        "CODE_JAIL": {"python_bin": nowhere, "user": None, "limits": {}},
        "COURSES_WITH_UNSAFE_CODE": [],
    }


def drafts(settings: Settings, variant: str) -> Settings:
    """Show drafts at exactly the preview host, where only staff may log in. The release matches any host with that prefix."""
    if variant != "lms":
        return {"MODULESTORE_BRANCH": "draft-preferred"}
    host = ((settings.get("FEATURES") or {}).get("PREVIEW_LMS_BASE") or "").partition(":")[0]
    mapping = {"^" + re.escape(host) + r"(:\d+)?$": "draft-preferred"} if host else {}
    return {"HOSTNAME_MODULESTORE_DEFAULT_MAPPINGS": mapping, "MODULESTORE_BRANCH": "published-only"}


def tracking() -> Settings:
    """Keep requests with their parameters out of the tracking log; what learners do stays in it."""
    return {"TRACKING_IGNORE_URL_PATTERNS": [""]}


def pages(space: Settings, variant: str) -> Settings:
    """Add the page of reports to the lms, behind its session middleware."""
    if variant != "lms":
        return {}
    return {"MIDDLEWARE": list(space["MIDDLEWARE"]) + ["portal_settings.pages.Reports"]}
