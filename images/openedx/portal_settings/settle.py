"""What the settings of a portal have beyond edx-platform's own: found in its namespace, and laid into it.

`told` is the file that the configuration program wrote. Each function says what it changes as a mapping of settings.
"""

import importlib
import importlib.util
import os
import re
import sys

from portal_settings import logs, shapes, signing

# Where the public images have what their build collected.
STATIC_ROOT = "/openedx/staticfiles"
# Below the directory of uploads, and served to nobody (images/nginx/nginx.conf lists what is).
PRIVATE = "private"
# Pages of ours below this path, on the lms (pages.py).
REPORTS_URL = "/portal/reports/"
ROUTER = "openedx.core.lib.django_courseware_routers.StudentModuleHistoryExtendedRouter"
HISTORY = "coursewarehistoryextended"
NOBODY = "@example.com"
# A key that everybody knows opens interfaces of the lms to whoever sends it.
KNOWN_KEY = "PUT_YOUR_API_KEY_HERE"
# Where another word of the operator's is taken.
OPEN = (
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
# Long enough for a task's result to be asked for.
RESULTS_SECONDS = 3600


def settle(space, variant):
    """Change the settings of a variant in place."""
    common = vars(importlib.import_module(variant + ".envs.common"))
    told = _read(variant)
    for part in (
        database(told, common),
        documents(space, told, common),
        caches(told, common),
        tasks(told),
        search(told),
        doors(told, variant),
        keys(space),
        tokens(space, told),
        mail(space, told),
        names(space),
        files(space, told, common, variant),
        history(space),
        code(),
        drafts(told, variant),
        events(),
        pages(space, variant),
        {"LOGGING": logs.to_output(space["LOGGING"])},
    ):
        # What the tenant's file says of the rest stands, and is refused there of these (config/tenant/own_settings.py).
        space.update({name: value for name, value in part.items() if name not in told or name not in OPEN})
    space.pop("JWT_SIGNING_SEED", None)
    _rebind(space)


def _read(variant):
    import yaml

    with open(os.environ[variant.upper() + "_CFG"], encoding="utf-8") as file:
        return yaml.safe_load(file)


def check(variant):
    """Names that nobody reads are told at each start, a wrong shape ends it: before anything reads or changes them."""
    from django.conf import global_settings

    told, common = _read(variant), vars(importlib.import_module(variant + ".envs.common"))
    defaults = dict(vars(global_settings))
    defaults.update(common)
    found = shapes.wrong(told, defaults)
    found += ["FEATURES/" + each for each in shapes.wrong(told.get("FEATURES") or {}, _features(common))]
    if not told.get("JWT_SIGNING_SEED"):
        found.append("JWT_SIGNING_SEED: is missing, expected the secret of that name")
    if found:
        shapes.refuse(found)
    with open(importlib.util.find_spec(variant + ".envs.production").origin, encoding="utf-8") as file:
        unknown = shapes.unknown(told, defaults, file.read())
    if unknown:
        sys.stderr.write("openedx: settings that this release does not read: %s\n" % ", ".join(unknown))


def _features(common):
    """Those of a release that keeps them in a mapping, or by a proxy of one."""
    features = common.get("FEATURES") or {}
    return {name: features[name] for name in features} if hasattr(features, "keys") else {}


def _rebind(space):
    """Later releases keep features as settings of their own, and FEATURES looks them up in the module it was made for."""
    try:
        proxy = importlib.import_module("openedx.core.lib.features_setting_proxy").FeaturesProxy
    except ImportError:
        return
    space["FEATURES"] = proxy(space)


def database(told, common):
    """The release's own way with its database (transactions), at the portal's server."""
    own = common["DATABASES"]["default"]
    mine = dict(own, **told["DATABASES"]["default"])
    mine["OPTIONS"] = dict(own.get("OPTIONS") or {}, **mine.get("OPTIONS") or {})
    return {"DATABASES": {"default": mine}}


def documents(space, told, common):
    """Courses and their files: everywhere the one mongo that the portal has."""
    store = dict(common["DOC_STORE_CONFIG"], **told["DOC_STORE_CONFIG"])
    # The default is a set without a name, and mongo's client would look for its members for ever.
    store["replicaSet"] = store.get("replicaSet") or None
    content = dict(common["CONTENTSTORE"], DOC_STORE_CONFIG=store)
    if "OPTIONS" in content:
        content["OPTIONS"] = {name: store.get(name, value) for name, value in content["OPTIONS"].items()}
    for each in _stores(space["MODULESTORE"]):
        each["DOC_STORE_CONFIG"] = store
        each.setdefault("OPTIONS", {})["fs_root"] = _data(told)
    return {"DOC_STORE_CONFIG": store, "CONTENTSTORE": content, "MODULESTORE": space["MODULESTORE"]}


def _stores(modulestore):
    found = modulestore["default"]["OPTIONS"]["stores"]
    return found.values() if hasattr(found, "values") else found


def _data(told):
    return os.path.join(told["MEDIA_ROOT"], PRIVATE, "data")


def caches(told, common):
    """Each cache that the release names, by its own rules for keys and ages, at the portal's store."""
    ours = told["CACHES"]["default"]
    prefix = ours.get("KEY_PREFIX", "")
    made = {}
    for name, own in common["CACHES"].items():
        if "locmem" in own["BACKEND"] or "file" in own["BACKEND"]:
            made[name] = own
            continue
        made[name] = dict(own, **ours)
        if "memcached" in own["BACKEND"] and "memcached" in ours["BACKEND"]:
            # By the library that this very release has.
            made[name]["BACKEND"] = own["BACKEND"]
        made[name]["KEY_PREFIX"] = ".".join((prefix, own.get("KEY_PREFIX") or name))
    made.setdefault("default", ours)
    made.setdefault("loc_cache", {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"})
    # Who is logged in stays so while the cache is away.
    return {
        "CACHES": made,
        "DJANGO_REDIS_IGNORE_EXCEPTIONS": True,
        "SESSION_ENGINE": "django.contrib.sessions.backends.cached_db",
    }


def tasks(told):
    """Results of tasks are kept in redis, whatever carries the tasks."""
    where = told["CELERY_RESULT_REDIS"]
    return {
        "CELERY_RESULT_BACKEND": "redis://:{password}@{host}:{port}/{db}".format(**where),
        "CELERY_TASK_RESULT_EXPIRES": RESULTS_SECONDS,
        "CELERYD_HIJACK_ROOT_LOGGER": False,
    }


def search(told):
    """By the names that the search's own library reads: production has its own for them once courseware is indexed."""
    made = {name: told[name] for name in ("ELASTIC_SEARCH_CONFIG", "SEARCH_ENGINE") if told.get(name)}
    # A course says only by a date when its enrolment begins; without one it has begun, and is found.
    made["SEARCH_SKIP_ENROLLMENT_START_DATE_FILTERING"] = True
    return made


def doors(told, variant):
    """Which names are answered, and how cookies go: what browsers reach is HTTP where TLS ends before the portal."""
    secure = told.get("HTTPS") == "on"
    return {
        "ALLOWED_HOSTS": list(told["ALLOWED_HOSTS"]),
        "SESSION_COOKIE_SECURE": secure,
        "CSRF_COOKIE_SECURE": secure,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "DCS_SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SAMESITE": "Lax",
        "OAUTH_ENFORCE_SECURE": secure,
        "OAUTH_ENFORCE_CLIENT_SECURE": secure,
        "CSRF_TRUSTED_ORIGINS": _origins(told, variant),
        "X_FRAME_OPTIONS": "SAMEORIGIN",
    }


def _origins(told, variant):
    """With the scheme since Django 4, by the bare host before."""
    import django

    roots = [told[name] for name in ("LMS_ROOT_URL", "CMS_ROOT_URL")]
    return roots if django.VERSION >= (4, 0) else [root.partition("://")[2] for root in roots]


def keys(space):
    """No key of the release's own files is one of the portal's."""
    return {"EDX_API_KEY": None} if space.get("EDX_API_KEY") == KNOWN_KEY else {}


def tokens(space, told):
    """The key that signs what services show each other, and who is meant by it."""
    private, public = signing.keys(told["JWT_SIGNING_SEED"])
    issuer = {"ISSUER": told["OAUTH_OIDC_ISSUER"], "AUDIENCE": signing.AUDIENCE}
    return {
        "JWT_AUTH": dict(
            space["JWT_AUTH"],
            JWT_AUDIENCE=issuer["AUDIENCE"],
            JWT_ISSUER=issuer["ISSUER"],
            JWT_ISSUERS=[dict(issuer, SECRET_KEY=told["SECRET_KEY"])],
            JWT_PRIVATE_SIGNING_JWK=private,
            JWT_PUBLIC_SIGNING_JWK_SET=public,
            JWT_SECRET_KEY=told["SECRET_KEY"],
        )
    }


def mail(space, told):
    """No mail and no page names a stranger's domain; the release's own addresses are placeholders."""
    contact = told.get("CONTACT_EMAIL") or told["DEFAULT_FROM_EMAIL"]
    made = {
        name: contact
        for name, value in space.items()
        if name.endswith("_EMAIL") and isinstance(value, str) and value.endswith(NOBODY)
    }
    sender = told["DEFAULT_FROM_EMAIL"]
    made.update(
        dict.fromkeys(("SERVER_EMAIL", "BULK_EMAIL_DEFAULT_FROM_EMAIL", "API_ACCESS_FROM_EMAIL"), sender)
    )
    made.update(
        ACE_ENABLED_CHANNELS=["django_email"],
        ACE_CHANNEL_DEFAULT_EMAIL="django_email",
        ACE_CHANNEL_TRANSACTIONAL_EMAIL="django_email",
    )
    return made


def names(space):
    """Mails of studio name the portal and then it: the release's own name of it is a placeholder."""
    return {"STUDIO_NAME": space["STUDIO_SHORT_NAME"]} if "STUDIO_SHORT_NAME" in space else {}


def files(space, told, common, variant):
    """Uploads on the drive: what a page shows below MEDIA_ROOT, all else below its private part."""
    media, data = told["MEDIA_ROOT"], _data(told)
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
        "STATIC_URL": told["STATIC_URL"] + ("" if variant == "lms" else "studio/"),
    }
    financial = space.get("FINANCIAL_REPORTS")
    if financial:
        made["FINANCIAL_REPORTS"] = dict(financial, ROOT_PATH=os.path.join(private, "financial"))
    for name in ("VIDEO_IMAGE_SETTINGS", "VIDEO_TRANSCRIPTS_SETTINGS"):
        if name in space:
            kwargs = dict(space[name].get("STORAGE_KWARGS") or {}, location=media, base_url=told["MEDIA_URL"])
            made[name] = dict(space[name], STORAGE_KWARGS=kwargs)
    if "PROFILE_IMAGE_BACKEND" in space:
        made["PROFILE_IMAGE_BACKEND"] = dict(
            space["PROFILE_IMAGE_BACKEND"],
            options={
                "location": os.path.join(media, "profile-images/"),
                "base_url": told["MEDIA_URL"] + "profile-images/",
            },
        )
    if "WEBPACK_LOADER" in space:
        made["WEBPACK_LOADER"] = {
            name: dict(loader, STATS_FILE=os.path.join(root, os.path.basename(str(loader["STATS_FILE"]))))
            for name, loader in space["WEBPACK_LOADER"].items()
        }
    return made


def history(space):
    """Answers of learners are kept in the one database: the second one for their history is not there."""
    return {
        "DATABASE_ROUTERS": [each for each in space["DATABASE_ROUTERS"] if each != ROUTER],
        "INSTALLED_APPS": [each for each in space["INSTALLED_APPS"] if each.split(".")[-1] != HISTORY],
    }


def code():
    """Programs in problems of a course do not run: no image has the jail for them, and outside it they would be the lms."""
    try:
        jail = importlib.import_module("codejail.jail_code")
    except ImportError:
        jail = None
    nowhere = "/nonexistent/python"
    if jail:
        jail.configure("python", nowhere, user=None)
        # Older ones look once, when first imported, and are without a jail for ever if there was none by then.
        runs = importlib.import_module("codejail.safe_exec")
        if getattr(runs, "UNSAFE", False) or getattr(runs, "ALWAYS_BE_UNSAFE", False):
            shapes.refuse(["CODE_JAIL: was read too early, programs in problems would run without a jail"])
    return {
        "CODE_JAIL": {"python_bin": nowhere, "user": None, "limits": {}},
        "COURSES_WITH_UNSAFE_CODE": [],
    }


def drafts(told, variant):
    """Drafts at the very host at which staff alone are let in: the release takes any that begins like it."""
    if variant != "lms":
        return {"MODULESTORE_BRANCH": "draft-preferred"}
    host = ((told.get("FEATURES") or {}).get("PREVIEW_LMS_BASE") or "").partition(":")[0]
    mapping = {"^" + re.escape(host) + r"(:\d+)?$": "draft-preferred"} if host else {}
    return {"HOSTNAME_MODULESTORE_DEFAULT_MAPPINGS": mapping, "MODULESTORE_BRANCH": "published-only"}


def events():
    """The log of events has what learners do, and not each request with all that came with it."""
    return {"TRACKING_IGNORE_URL_PATTERNS": [""]}


def pages(space, variant):
    """What the lms answers of ours, after it knows who asks."""
    if variant != "lms":
        return {}
    return {"MIDDLEWARE": list(space["MIDDLEWARE"]) + ["portal_settings.pages.Reports"]}
