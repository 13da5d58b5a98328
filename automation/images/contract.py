"""The contract of an openedx image that is built elsewhere (docs/images.md): what was found of one, judged.

What an image says of itself is the word of whoever built it. It is taken by type and length, compared with what is
expected, and shown as text; nothing of it is run, opened or looked up here.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from config.reading.words import comma_separated, excerpt

# The Python of the configuration program, which is laid into the image, is built for this.
OLDEST_LIBC = (2, 31)
OLDEST_PYTHON = (3, 5)
CODE = "/openedx/edx-platform"
STATIC = "/openedx/staticfiles"
# What is made in the image when our layer is built, or mounted when it runs; a volume of its own would hide it.
OURS = (
    "/openedx/config",
    "/openedx/media",
    "/openedx/overrides",
    "/openedx/rendered",
    "/openedx/static",
    "/opt/configuration",
    "/opt/python",
    "/usr/local/bin",
)
# Files and directories that the engine is asked for, without running anything.
STATIC_FILES = (
    STATIC,
    f"{STATIC}/studio",
    f"{STATIC}/webpack-stats.json",
    f"{STATIC}/studio/webpack-stats.json",
)
RELEASE_FILE = f"{CODE}/openedx/core/release.py"
_LINE = re.compile(r"""^RELEASE_LINE\s*=\s*["']([a-z0-9-]{1,40})["']\s*(?:#.*)?$""", re.MULTILINE)
LONGEST = 160


@dataclass(frozen=True, kw_only=True)
class Check:
    """One point of the contract. `ok` is None where nobody can tell; `remedy` is empty unless it is broken."""

    name: str
    ok: bool | None
    found: str
    expected: str
    remedy: str = ""

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What the image's own Python answered (contract_probe.py); `failure` is why it gave no usable answer."""

    python: tuple[int, ...] = ()
    libc: tuple[int, ...] = ()
    programs: Mapping[str, bool] = field(default_factory=dict)
    sockets: bool = False
    readable: Mapping[str, bool] = field(default_factory=dict)
    loaded: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class InspectedImage:
    """What an engine says of an image: its configuration, paths that are there, a file's text, and its own words."""

    os: str
    architecture: str
    machine: str
    volumes: Collection[str] = ()
    triggers: Collection[str] = ()
    paths: Collection[str] = ()
    release_file: str = ""
    probe: ProbeResult


def parse(output: bytes) -> ProbeResult:
    """The probe's line, by type and length; whatever else stands there is told and not taken."""
    lines = output.decode(errors="replace").splitlines()
    if len(lines) != 1:
        return ProbeResult(
            failure=f"it said {len(lines)} lines, expected one: {excerpt(output.decode(errors='replace'), LONGEST)}"
        )
    try:
        answer = json.loads(lines[0])
        libc = re.fullmatch(r"glibc (\d{1,4})\.(\d{1,4})", _text(answer["libc"]))
        return ProbeResult(
            python=tuple(_number(each) for each in _short_list(answer["python"])[:3]),
            libc=(int(libc[1]), int(libc[2])) if libc else (),
            programs={_text(name): each is True for name, each in _few_items(answer["programs"])},
            sockets=answer["sockets"] is True,
            readable={_text(name): each is True for name, each in _few_items(answer["readable"])},
            loaded={_text(name): _text(each) for name, each in _few_items(answer["loaded"])},
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        why = excerpt(f"{type(error).__name__}: {error}", LONGEST)
        return ProbeResult(failure=f"its answer cannot be read ({why}): {excerpt(lines[0], LONGEST)}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text")
    return excerpt(value, LONGEST)


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 10_000:
        raise ValueError("expected a small number")
    return value


def _short_list(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > 20:
        raise ValueError("expected a short list")
    return value


def _few_items(value: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, dict) or len(value) > 40:
        raise ValueError("expected a few keys with values")
    return [*value.items()]


def release_line(text: str) -> str:
    """The named release that edx-platform says it is, `master` for none yet; empty where it does not say."""
    match = _LINE.search(text)
    return match[1] if match else ""


def judge(image: InspectedImage, known: Collection[str], release: str = "") -> tuple[Check, ...]:
    """Every point of the contract. `known` are the releases that there are, `release` the one that a portal has."""
    checks = (
        _platform(image),
        _build(image),
        *_runs(image.probe),
        _static(image),
        _release(image, known, release),
    )
    return tuple(each if each.ok is False else replace(each, remedy="") for each in checks)


def broken(checks: Collection[Check]) -> list[Check]:
    """Those that are not kept."""
    return [each for each in checks if each.ok is False]


def _platform(image: InspectedImage) -> Check:
    return Check(
        name="platform",
        ok=image.os == "linux" and image.architecture == image.machine,
        found=f"{image.os or 'unknown'}/{image.architecture or 'unknown'}",
        expected=f"linux/{image.machine}, as the engine",
        remedy="build the image for this machine (docker build --platform)",
    )


def _build(image: InspectedImage) -> Check:
    hidden = sorted(
        volume
        for volume in image.volumes
        if any(f"{each}/".startswith(f"{volume.rstrip('/')}/") for each in (*OURS, CODE))
        or any(f"{volume}/".startswith(f"{each}/") for each in OURS)
    )
    instructions = [f"VOLUME {each}" for each in hidden] + [f"ONBUILD {each}" for each in image.triggers]
    return Check(
        name="build",
        ok=not instructions,
        found=excerpt(comma_separated(instructions), LONGEST),
        expected="no ONBUILD, and no VOLUME where files of a portal go",
        remedy="take these lines out of its Dockerfile: they hide or change what is built on top of it",
    )


def _runs(probe: ProbeResult) -> Iterator[Check]:
    if probe.failure:
        yield Check(
            name="python",
            ok=False,
            found=probe.failure,
            expected="its `python` answers as user 1000, without network, on a root that cannot be written to",
            remedy="put edx-platform's virtual environment first in PATH (ENV PATH=/openedx/venv/bin:$PATH), for every user",
        )
        return
    yield Check(
        name="python",
        ok=probe.python >= OLDEST_PYTHON,
        found=".".join(map(str, probe.python)) or "none",
        expected=f"{'.'.join(map(str, OLDEST_PYTHON))} or newer",
        remedy="build edx-platform's virtual environment with the Python of its release",
    )
    lacking = [name for name, there in probe.programs.items() if not there]
    yield Check(
        name="programs",
        ok=bool(probe.programs) and not lacking,
        found=f"without {comma_separated(lacking)}" if lacking else "all",
        expected="uwsgi, celery, bash and the usual tools in PATH",
        remedy="install them: pip install uwsgi celery into the virtual environment, the others as packages",
    )
    yield Check(
        name="system",
        ok=probe.libc >= OLDEST_LIBC,
        found=f"glibc {'.'.join(map(str, probe.libc))}" if probe.libc else "no glibc",
        expected=f"glibc {'.'.join(map(str, OLDEST_LIBC))} or newer",
        remedy="base it on Debian 11, Ubuntu 20.04 or newer: the configuration program needs it",
    )
    yield Check(
        name="health",
        ok=probe.sockets and bool(probe.readable.get("openedx/core/djangoapps/heartbeat")),
        found="bash opens no socket"
        if not probe.sockets
        else "as expected"
        if probe.readable.get("openedx/core/djangoapps/heartbeat")
        else "no heartbeat app",
        expected="a bash with /dev/tcp, and edx-platform's heartbeat app",
        remedy="use the distribution's bash, and keep openedx/core/djangoapps/heartbeat",
    )
    hidden = [name for name, readable in probe.readable.items() if not readable]
    yield Check(
        name="code",
        ok=bool(probe.readable) and not hidden,
        found=f"user 1000 cannot read {comma_separated(hidden)}" if hidden else "readable by user 1000",
        expected=f"edx-platform at {CODE}, readable by user 1000",
        remedy="put it there, and let user 1000 read it (COPY --chown=1000:1000)",
    )
    failed = {name: why for name, why in probe.loaded.items() if why}
    name, why = next(iter(failed.items()), ("", ""))
    yield Check(
        name="settings",
        ok=bool(probe.loaded) and not failed,
        found=f"{name}: {why}" if failed else "imported",
        expected="lms.envs.common and cms.envs.common can be imported with what is installed",
        remedy="install the requirements of edx-platform and of your own packages into the virtual environment",
    )


def _static(image: InspectedImage) -> Check:
    lacking = [each for each in STATIC_FILES if each not in image.paths]
    return Check(
        name="static files",
        ok=not lacking,
        found=f"without {comma_separated(lacking)}" if lacking else STATIC,
        expected=f"collected files of lms and studio below {STATIC}",
        remedy="collect them when the image is built (collectstatic of lms and cms, webpack)",
    )


def _release(image: InspectedImage, known: Collection[str], release: str) -> Check:
    line = release_line(image.release_file)
    ok: bool | None = line == release if release else True
    if line not in known:
        # `master` between two releases, or one that this checkout does not know.
        ok = False if line and line != "master" else None
    return Check(
        name="release",
        ok=ok,
        found=line or "edx-platform does not say which release it is",
        expected=release or f"one of {comma_separated(sorted(known))}",
        remedy="build it from the code of that release, or give the portal the release of the image",
    )
