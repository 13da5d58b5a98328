"""The image's entry: a verb says which role this container plays. Checks configuration and secrets first."""

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
# Where the image keeps the static files that its build collected.
COLLECTED = "/openedx/staticfiles"


class Usage(Exception):
    """The command line names no role."""


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One role: the variant whose settings it reads, the secrets it needs beside them, and whether it stays up."""

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
    """The verbs of a command line. Raises Usage, with the verbs there are, for anything else."""
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


def queues(variant: str, told: str) -> tuple[str, ...]:
    """The variant's queues of a comma list; all of them when it is empty. Raises Usage for any other."""
    known = QUEUES[variant]
    found = tuple(told.split(",")) if told else known
    if odd := [each for each in found if each not in known]:
        raise Usage(f"OPENEDX_QUEUES: {odd[0]!r} is no queue of {variant}; there are: {', '.join(known)}")
    return found


def worker(variant: str, taken: Sequence[str], concurrency: int, generation: str) -> tuple[str, ...]:
    """A Celery worker of some of the variant's queues.

    `generation` tells it from one that finishes its tasks beside it: two may not share a node's name.
    """
    core = f"edx.{variant}.core"
    return (
        "-m", "celery", "--app=standin", "worker", "--loglevel=info",
        f"--hostname={core}.{taken[0]}.{generation}.%h",
        "--queues=" + ",".join(f"{core}.{queue}" for queue in taken),
        f"--concurrency={concurrency}",
        # As edx-platform's: what a heavy task took is the system's again when it ends.
        *(("--max-tasks-per-child=1",) if tuple(taken) == HEAVY else ()),
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    )  # fmt: skip


def command(name: str, settings: Mapping[str, Any], env: Mapping[str, str]) -> tuple[str, ...]:
    """What Python runs for a verb."""
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
    """Runs one verb after the other; the code of the first that fails, else 0. SIGTERM ends the one under way."""
    child: subprocess.Popen[bytes] | None = None
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        if child:
            child.terminate()

    todo = checked(words, env)
    # As process 1 we would not be ended by a signal that nobody handles.
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


def checked(words: Sequence[str], env: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Each verb with its settings; everything that all of them need has been looked at. Raises ConfigError."""
    found = []
    for name in words:
        verb = VERBS[name]
        found.append((name, config.load(verb.variant, env, admin=verb.admin)))
        config.check_secrets(verb.secrets)
    return found


def main(words: Sequence[str]) -> int:
    """The exit code; does not return for a verb that stays up, which takes this process's place."""
    env = dict(os.environ)
    try:
        names = parse(words)
        if not VERBS[names[0]].stays:
            return run(names, env)
        [(name, settings)] = checked(names, env)
        told = command(name, settings, env)
    except Usage as error:
        print(f"openedx: {error}", file=sys.stderr)
        return USAGE
    except config.ConfigError as error:
        print(f"openedx: {error}", file=sys.stderr)
        return CONFIG
    env["SERVICE_VARIANT"] = VERBS[name].variant
    os.execvpe("python3", ("python3", *told), env)  # noqa: S606 (words of our own)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
