"""The image's entry: a verb names the role of the container. Checks settings and secrets first."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from standin import config

# sysexits.h
USAGE, CONFIG = 64, 78

QUEUES = {"lms": ("default", "high", "high_mem"), "cms": ("default", "high", "low")}
HEAVY = ("high_mem",)
# The static files that the image's build collected.
COLLECTED = "/openedx/staticfiles"


class Usage(Exception):
    """The command line is wrong; str() says how."""


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One role: the variant whose settings it reads, the secrets that it needs, and whether it stays up."""

    variant: str
    secrets: tuple[str, ...] = ()
    stays: bool = False
    admin: bool = False


VERBS: Mapping[str, Verb] = {
    "lms": Verb(variant="lms", stays=True),
    "cms": Verb(variant="cms", stays=True),
    "lms-workers": Verb(variant="lms", stays=True),
    "cms-workers": Verb(variant="cms", stays=True),
    "lms-migrate": Verb(variant="lms"),
    "cms-migrate": Verb(variant="cms"),
    "lms-assets": Verb(variant="lms"),
    "oauth-sync": Verb(variant="lms"),
    "create-admin": Verb(variant="lms", secrets=("admin-password",), admin=True),
    "login-link": Verb(variant="lms", admin=True),
}


def parse(words: Sequence[str]) -> tuple[str, ...]:
    """The verbs of a command line. Raises Usage, with the known verbs, if one is wrong."""
    known = "verbs that stay up: {}; verbs that end and may be chained: {}".format(
        *(", ".join(name for name, verb in VERBS.items() if verb.stays is stays) for stays in (True, False))
    )
    if not words:
        raise Usage(f"no verb given; {known}")
    for word in words:
        if word not in VERBS:
            raise Usage(f"unknown verb {word!r}; {known}")
    if len(words) > 1 and (staying := [word for word in words if VERBS[word].stays]):
        raise Usage(f"{staying[0]!r} stays up and must be the only verb; {known}")
    return tuple(words)


def queues(variant: str, names: str) -> tuple[str, ...]:
    """The queues of a list with commas; all of the variant if it is empty. Raises Usage for an unknown one."""
    known = QUEUES[variant]
    chosen = tuple(names.split(",")) if names else known
    if odd := [each for each in chosen if each not in known]:
        raise Usage(f"OPENEDX_QUEUES: {odd[0]!r} is no queue of {variant}; there are: {', '.join(known)}")
    return chosen


def worker(variant: str, names: Sequence[str], concurrency: int, generation: str) -> tuple[str, ...]:
    """The command of a Celery worker for some of the variant's queues.

    `generation` makes its node name unique beside a worker that finishes its tasks.
    """
    core = f"edx.{variant}.core"
    return (
        "-m", "celery", "--app=standin", "worker", "--loglevel=info",
        f"--hostname={core}.{names[0]}.{generation}.%h",
        "--queues=" + ",".join(f"{core}.{queue}" for queue in names),
        f"--concurrency={concurrency}",
        # As in edx-platform: the memory of a heavy task is freed when it ends.
        *(("--max-tasks-per-child=1",) if tuple(names) == HEAVY else ()),
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    )  # fmt: skip


def command(name: str, settings: Mapping[str, Any], env: Mapping[str, str]) -> tuple[str, ...]:
    """The arguments of Python for a verb."""
    variant = VERBS[name].variant
    if name in ("lms", "cms"):
        return ("-m", "gunicorn", "--config=python:standin.gunicorn", "standin.wsgi")
    if name.endswith("-workers"):
        return worker(
            variant,
            queues(variant, env.get("OPENEDX_QUEUES", "")),
            max(1, int(env.get("OPENEDX_WORKERS") or 1)),
            env.get("OPENEDX_GENERATION") or "1",
        )
    return {
        "lms-migrate": ("-m", "django", "migrate", "--no-input"),
        "cms-migrate": ("-m", "django", "migrate", "--no-input", "--reindex"),
        "lms-assets": ("-m", "standin.assets", COLLECTED, str(settings["STATIC_ROOT"])),
        "oauth-sync": ("-m", "django", "oauth_sync"),
        "create-admin": ("-m", "django", "create_admin"),
        "login-link": ("-m", "django", "login_link"),
    }[name]


def run(words: Sequence[str], env: Mapping[str, str]) -> int:
    """Run verbs one after the other; returns the code of the first that fails, else 0. SIGTERM ends the current one."""
    child: subprocess.Popen[bytes] | None = None
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        if child:
            child.terminate()

    todo = checked_settings(words, env)
    # Process 1 ignores signals without a handler.
    signal.signal(signal.SIGTERM, stop)
    for name, settings in todo:
        own = {**env, "SERVICE_VARIANT": VERBS[name].variant}
        child = subprocess.Popen(("python3", *command(name, settings, env)), env=own)
        if stopped:
            child.terminate()
        code = child.wait()
        if stopped:
            print(f"openedx: {name} was ended by SIGTERM", file=sys.stderr)
            return 128 + signal.SIGTERM
        if code:
            return code if code > 0 else 128 - code
    return 0


def checked_settings(words: Sequence[str], env: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Each verb with its settings, after the settings and secrets of all verbs were checked. Raises ConfigError."""
    findings = []
    for name in words:
        verb = VERBS[name]
        findings.append((name, config.load(verb.variant, env, admin=verb.admin)))
        config.check_secrets(verb.secrets)
    return findings


def main(words: Sequence[str]) -> int:
    """Run the verbs; returns the exit code. A verb that stays up replaces this process."""
    env = dict(os.environ)
    try:
        names = parse(words)
        if not VERBS[names[0]].stays:
            return run(names, env)
        [(name, settings)] = checked_settings(names, env)
        arguments = command(name, settings, env)
    except Usage as error:
        print(f"openedx: {error}", file=sys.stderr)
        return USAGE
    except config.ConfigError as error:
        print(f"openedx: {error}", file=sys.stderr)
        return CONFIG
    env["SERVICE_VARIANT"] = VERBS[name].variant
    os.execvpe("python3", ("python3", *arguments), env)  # noqa: S606 (words of our own)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
