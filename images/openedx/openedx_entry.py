"""The verbs of a public openedx image: what each runs, and the settings file that edx-platform reads.

The configurator starts it after it has written <variant>.env.json and <variant>.auth.json.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

CONFIG = Path("/openedx/config")
QUEUES = {"lms": ("default", "high", "high_mem"), "cms": ("default", "high", "low")}
PORTS = {"lms": 8000, "cms": 8010}
MEDIA = Path("/openedx/media")
# Directories on the drive that nginx does not serve (portal_settings/changes.py).
PRIVATE = ("data", "djfs", "financial", "mail", "ora2", "reports")
# Public directories of uploads, the same list as in images/nginx/nginx.conf.
PUBLIC = (
    "badge_classes",
    "badges",
    "certificate_template_assets",
    "course_complete_badges",
    "organization_logos",
    "profile-images",
    "video-images",
    "video-transcripts",
)
FILES = (
    ("/static", "/openedx/staticfiles"),
    *((f"/media/{name}", str(MEDIA / name)) for name in PUBLIC),
)
ASSETS = "/usr/local/bin/openedx_assets.py"
# Left out if empty, so that edx-platform uses its own picture or page.
OWN_IF_EMPTY = (
    "ACTIVATION_EMAIL_SUPPORT_LINK",
    "FAVICON_URL",
    "LOGO_URL",
    "PASSWORD_RESET_SUPPORT_LINK",
)
STAYING = ("lms", "cms", "lms-workers", "cms-workers")
ENDING = ("lms-migrate", "cms-migrate", "lms-assets", "create-admin", "oauth-sync", "login-link")
USAGE = 64
# What ends runs in Django's shell, because its start takes longest of all: 15 s on two idle cores, minutes beside others.
MIGRATE = """
from django.core.management import call_command
call_command("migrate", "--no-input")
"""
# It reads the password from its file: an argument is visible in each list of processes.
SET_ADMIN = """
from django.contrib.auth import get_user_model
from django.core.management import call_command
call_command("manage_user", "--superuser", "--staff", {user!r}, {email!r})
user = get_user_model().objects.get(username={user!r})
user.set_password(open("/run/secrets/admin-password").read())
user.save()
"""
# The link that edx-platform mails to a user who forgot the password.
LINK = """
import json
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.http import int_to_base36
user = get_user_model().objects.get(username=json.load(open("/openedx/config/lms.env.json"))["ADMIN"]["username"])
parts = {"uidb36": int_to_base36(user.id), "token": default_token_generator.make_token(user)}
print(settings.LMS_ROOT_URL + reverse("password_reset_confirm", kwargs=parts))
"""
# Mails and links name site number 1, which edx-platform creates as example.com.
SITE = """
import json
from django.contrib.sites.models import Site
env = json.load(open("/openedx/config/lms.env.json"))
site = {"domain": env["LMS_BASE"], "name": env["PLATFORM_NAME"][:50]}
Site.objects.exclude(id=1).filter(domain=site["domain"]).delete()
Site.objects.update_or_create(id=1, defaults=site)
"""
# Open edX shows a page of its own where a front end has the same, until a flag of its database says otherwise. A flag that
# somebody has set stays; one that leads to a front end that is not there leads nowhere, and goes.
FLAGS = {
    "DISCUSSIONS_MICROFRONTEND_URL": (
        "discussions.enable_discussions_mfe",
        "discussions.enable_learners_stats",
        "discussions.enable_learners_tab_in_discussions_mfe",
        "discussions.enable_moderation_reason_codes",
        "discussions.enable_new_structure_discussions",
        "discussions.enable_reported_content_email_notifications",
    ),
    "LEARNER_HOME_MICROFRONTEND_URL": ("learner_home_mfe.enabled",),
    "LEARNING_MICROFRONTEND_URL": ("course_home.course_home_mfe_progress_tab",),
    "ORA_GRADING_MICROFRONTEND_URL": ("openresponseassessment.enhanced_staff_grader",),
}
SITE += f"""
from waffle import get_waffle_flag_model
flags = get_waffle_flag_model().objects
for setting, names in {FLAGS!r}.items():
    for name in names:
        if env.get(setting):
            flags.get_or_create(name=name, defaults={{"everyone": True}})
        else:
            flags.filter(name=name, everyone=True).delete()
"""
# The OAuth2 client by which the cms logs users in at the lms. Like `create_dot_application`, but without the secret on
# the command line.
SYNC = """
import json
from django.contrib.auth import get_user_model
from oauth2_provider.models import get_application_model
from openedx.core.djangoapps.oauth_dispatch.models import ApplicationAccess
auth = json.load(open("/openedx/config/cms.auth.json"))
env = json.load(open("/openedx/config/cms.env.json"))
user, _ = get_user_model().objects.get_or_create(username="cms", defaults={"email": "cms@localhost.invalid"})
client, _ = get_application_model().objects.update_or_create(
    client_id=env["SOCIAL_AUTH_EDX_OAUTH2_KEY"],
    defaults={
        "name": "cms-sso",
        "user": user,
        "client_secret": auth["SOCIAL_AUTH_EDX_OAUTH2_SECRET"],
        "client_type": "confidential",
        "authorization_grant_type": "authorization-code",
        "redirect_uris": env["CMS_ROOT_URL"] + "/complete/edx-oauth2/",
        "skip_authorization": True,
    },
)
ApplicationAccess.objects.update_or_create(application=client, defaults={"scopes": ["user_id"]})
"""


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both, merged mapping by mapping; of any other value that both have, the one of `over`."""
    both = {
        key: merged(under[key], over[key])
        for key in under.keys() & over.keys()
        if isinstance(under[key], dict) and isinstance(over[key], dict)
    }
    return {**under, **over, **both}


def without_empty(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those that are empty and have a default of edx-platform's."""
    return {name: value for name, value in settings.items() if value != "" or name not in OWN_IF_EMPTY}


def write_settings(variant: str) -> None:
    """Write the settings with the passwords into the file that LMS_CFG or CMS_CFG names.

    It is written with the library that edx-platform reads it with: JSON with an emoji or an exponent is not YAML.
    """
    env, auth = (json.loads((CONFIG / f"{variant}.{kind}.json").read_text()) for kind in ("env", "auth"))
    target = CONFIG / f"{variant}.yml"
    fresh = target.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(without_empty(merged(env, auth)), file)
    fresh.replace(target)


def web(variant: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The command of uWSGI, which public images have; it listens on the socket that all generations share.

    It logs no requests; openedx_app does, without paths and queries.
    """
    listen = env.get("OPENEDX_LISTEN_FD")
    ready = env.get("OPENEDX_READY_FD")
    return (
        "uwsgi",
        f"--http-socket={f'fd://{listen}' if listen else f'0.0.0.0:{PORTS[variant]}'}",
        "--pythonpath=/opt/configuration/app", "--module=openedx_app:load()",
        "--master", "--single-interpreter", "--enable-threads", "--die-on-term", "--need-app",
        # Threads of the master's are not in its workers, and only Python's own work after a fork says so there. Without it
        # pymongo waits for the thread that watches mongo, and a mongo that was away stays away until the next start.
        "--py-call-osafterfork",
        f"--processes={env.get('OPENEDX_WORKERS') or 1}",
        "--disable-logging",
        # For releases without an nginx: the files that images/nginx serves.
        *(f"--static-map={url}={path}" for url, path in FILES),
        # Messages of uWSGI about disconnected clients name the requested path.
        "--ignore-sigpipe", "--ignore-write-errors", "--disable-write-exception",
        "--buffer-size=8192", "--thunder-lock", "--max-worker-lifetime=86400", "--worker-reload-mercy=25",
        *((f"--hook-accepting1-once=write:/proc/self/fd/{ready} 1",) if ready else ()),
    )  # fmt: skip


def queues(variant: str, names: str) -> tuple[str, ...]:
    """The queues of a list with commas; all of the variant if it is empty. Raises ValueError for an unknown one."""
    known = QUEUES[variant]
    chosen = tuple(names.split(",")) if names else known
    if odd := [each for each in chosen if each not in known]:
        raise ValueError(
            f"OPENEDX_QUEUES: {odd[0]!r} is no queue of {variant}; there are: {', '.join(known)}"
        )
    return chosen


def worker(variant: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The command of a Celery worker; two generations beside each other need different node names.

    It has only options that Celery has in every release; openedx_worker sets the others.
    """
    core = f"edx.{variant}.core"
    names = queues(variant, env.get("OPENEDX_QUEUES", ""))
    return (
        "celery", "--app=openedx_worker", "worker", "--loglevel=info",
        f"--hostname={core}.{names[0]}.{env.get('OPENEDX_GENERATION') or 1}.%h",
        "--queues=" + ",".join(f"{core}.{queue}" for queue in names),
        f"--concurrency={env.get('OPENEDX_WORKERS') or 1}",
        "--without-gossip", "--without-mingle",
    )  # fmt: skip


def tasks_per_child(env: Mapping[str, str]) -> str:
    """1 for the queue of heavy tasks, as in edx-platform: their memory is freed when they end."""
    return "1" if env.get("OPENEDX_QUEUES") == "high_mem" else "100"


def statements(verb: str, admin: Mapping[str, str]) -> str:
    """What a verb that ends runs in Django's shell, in the public image's own Python; empty where it needs no Django."""
    if verb in ("lms-migrate", "cms-migrate"):
        return MIGRATE + (SITE if verb == "lms-migrate" else "")
    if verb == "create-admin":
        return SET_ADMIN.format(user=admin["username"], email=admin["email"])
    return {"login-link": LINK, "oauth-sync": SYNC}.get(verb, "")


def ending(verbs: Sequence[str], admin: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The variant and the command of verbs that end, in order: one start of Django for those of a variant that follow each other."""
    for (variant, django), group in groupby(verbs, lambda verb: (variant_of(verb), verb != "lms-assets")):
        if not django:
            yield variant, (sys.executable, "-I", ASSETS, "/openedx/staticfiles", "/openedx/static")
            continue
        listed = list(group)
        # A link is read by its caller: nothing else is printed with it.
        heads = [f"print({f'openedx: {verb}'!r}, flush=True)" if len(verbs) > 1 else "" for verb in listed]
        code = "\n".join(head + statements(verb, admin) for head, verb in zip(heads, listed, strict=True))
        yield variant, ("python", "./manage.py", variant, "shell", "-c", code)


def staying(verb: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The command of a verb that stays."""
    return (worker if verb.endswith("-workers") else web)(variant_of(verb), env)


def variant_of(verb: str) -> str:
    """The application of a verb: lms or cms."""
    return "cms" if verb.startswith("cms") else "lms"


def environment(variant: str) -> dict[str, str]:
    """The environment of a variant's commands."""
    return {
        **os.environ,
        "SERVICE_VARIANT": variant,
        "DJANGO_SETTINGS_MODULE": f"portal_settings.{variant}",
        "OPENEDX_TASKS_PER_CHILD": tasks_per_child(os.environ),
    }


def main(verbs: Sequence[str]) -> int:
    """Run the verbs in order; returns the code of the first that fails. A verb that stays up replaces this process."""
    wrong = [verb for verb in verbs if verb not in (*STAYING, *ENDING)]
    if wrong or not verbs or (len(verbs) > 1 and any(verb in STAYING for verb in verbs)):
        print(
            f"openedx: verbs are {', '.join(STAYING)} alone, or some of {', '.join(ENDING)}", file=sys.stderr
        )
        return USAGE
    for variant in ("lms", "cms"):
        write_settings(variant)
    private = MEDIA / "private"
    for folder in (private, *(private / name for name in PRIVATE)):
        # Mode 0700: nginx has the same mount, and another user.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    admin = json.loads((CONFIG / "lms.env.json").read_text()).get("ADMIN", {})
    try:
        queues(variant_of(verbs[0]), os.environ.get("OPENEDX_QUEUES", ""))
    except ValueError as error:
        print(f"openedx: {error}", file=sys.stderr)
        return USAGE
    if verbs[0] in STAYING:
        words = staying(verbs[0], os.environ)
        os.execvpe(words[0], words, environment(variant_of(verbs[0])))  # noqa: S606 (words of our own)
    for variant, words in ending(verbs, admin):
        code = subprocess.run(words, env=environment(variant), check=False).returncode
        if code:
            return code if code > 0 else 128 - code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
