"""Where each part is taken from: plain facts about a machine in, a plan out. Nothing is asked or done here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from toolchain.errors import NoEngine, ToolchainError
from toolchain.parts import apt, plugins, pulumi_cli
from toolchain.parts.engine import Answer, refusal
from toolchain.pins import Pins, is_new_enough

BUILD_MIB = 4000
FORCED = ("", "official", "packages")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is so on a machine. Versions are as the programs on PATH tell them; empty: not there."""

    forced: str  # PORTAL_TOOLCHAIN
    root: bool
    debian: bool
    engine: Answer
    pulumi: str = ""
    language_host: bool = False
    go: str = ""
    official: bool = False  # Pulumi's download server answers
    machine: str = "x86_64"  # as `uname -m` says it
    free_mib: int = 0  # on the cache's disk
    ensurepip: bool = True
    certificates: bool = True
    programs: frozenset[str] = frozenset()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """A part's source, the Debian packages it wants, and a word on what stays without."""

    source: str
    packages: tuple[str, ...] = ()
    note: str = ""


def choose_sources(facts: Facts, pins: Pins, parts: frozenset[str]) -> dict[str, Choice]:
    """A source for each of these parts. Raises ToolchainError with everything this machine cannot have."""
    if facts.forced not in FORCED:
        raise ToolchainError(f"PORTAL_TOOLCHAIN is {facts.forced!r}, expected official, packages, or unset")
    plan: dict[str, Choice] = {}
    wrong: list[ToolchainError] = []
    for part in sorted(parts):
        try:
            plan[part] = _CHOOSE[part](facts, pins)
        except ToolchainError as error:
            wrong.append(error)
    if wrong:
        # The CLI and its language host want the same things.
        kind = NoEngine if any(isinstance(error, NoEngine) for error in wrong) else ToolchainError
        raise kind("\n".join(dict.fromkeys(map(str, wrong))))
    if any(part in plan and plan[part].source == "packages" for part in ("pulumi", "language-host")):
        plan["go"] = _go(facts, pins)
    basics = {package for part in ("venv", "go", "pulumi") if part in plan for package in plan[part].packages}
    if basics:
        plan["basics"] = Choice("debian", tuple(sorted(basics)))
    return plan


def _engine(facts: Facts, pins: Pins) -> Choice:
    packages = pins.debian["engine"]
    install = apt.command(packages)
    refused = refusal(facts.engine, facts.env, root=facts.root, debian=facts.debian, install=install)
    if refused:
        raise NoEngine(f"engine: {refused}")
    if facts.engine.usable:
        return Choice("there")
    # Installed, but not running: apt has nothing to do and we start it.
    return Choice("started") if "dockerd" in facts.programs else Choice("debian", packages)


def _venv(facts: Facts, pins: Pins) -> Choice:
    packages = pins.debian["venv"] if not facts.ensurepip else ()
    if packages and not (facts.root and facts.debian):
        raise ToolchainError(f"venv: this Python has no ensurepip; as root: {apt.command(packages)}")
    return Choice("packages", packages)


def _pulumi(facts: Facts, pins: Pins) -> Choice:
    if (
        not facts.forced
        and facts.language_host
        and is_new_enough(facts.pulumi, pins.pulumi_oldest, same_major=True)
    ):
        return Choice("there")
    source = facts.forced or ("official" if facts.official and _pinned(facts, pins) else "packages")
    if source == "official":
        # Refused here rather than after a download.
        pins.sum_of(pulumi_cli.archive(pins, facts.machine))
    if source == "packages" and facts.free_mib < BUILD_MIB:
        raise ToolchainError(
            f"pulumi: the build needs {BUILD_MIB} MiB for a while, but the cache's disk has "
            f"{facts.free_mib} free; free some space, or set XDG_CACHE_HOME to a directory on another "
            "disk"
        )
    return Choice(source, _certificates(facts, pins))


def _plugins(facts: Facts, pins: Pins) -> Choice:
    # Whoever has the CLI on PATH need not have the plugins, nor reach the server they come from.
    archives = [plugins.archive(name, version, facts.machine) for name, version in pins.plugins.items()]
    if facts.forced == "official":
        for each in archives:
            pins.sum_of(each)
    known = facts.official and all(each in pins.archives for each in archives)
    return Choice(facts.forced or ("official" if known else "packages"))


def _pinned(facts: Facts, pins: Pins) -> bool:
    """Whether the sum of the CLI's archive is known, and so whether it may be downloaded at all."""
    return pulumi_cli.archive(pins, facts.machine) in pins.archives


def _certificates(facts: Facts, pins: Pins) -> tuple[str, ...]:
    """Go and Python's downloads trust the system's certificates; a minimal Debian has none."""
    if facts.certificates:
        return ()
    if facts.root and facts.debian:
        return pins.debian["certificates"]
    raise ToolchainError(f"pulumi: no CA certificates; as root: {apt.command(pins.debian['certificates'])}")


def _go(facts: Facts, pins: Pins) -> Choice:
    # Go's wheel is installed by a virtual environment's pip, so it wants what the environment wants.
    if is_new_enough(facts.go, pins.go_oldest, same_major=True):
        return Choice("there")
    return Choice("packages", _venv(facts, pins).packages)


def _programs(part: str, program: str, lost: str) -> Callable[[Facts, Pins], Choice]:
    """A part that is nothing but a program from Debian's packages; the rest works without it."""

    def choose(facts: Facts, pins: Pins) -> Choice:
        if program in facts.programs:
            return Choice("there")
        packages = pins.debian[part]
        if facts.root and facts.debian:
            return Choice("debian", packages)
        return Choice("none", (), f"{lost}; as root: {apt.command(packages)}")

    return choose


_CHOOSE: Mapping[str, Callable[[Facts, Pins], Choice]] = {
    "engine": _engine,
    "venv": _venv,
    "pulumi": _pulumi,
    "language-host": _pulumi,
    "plugins": _plugins,
    "state": lambda facts, pins: Choice("made"),
    "images": _programs("images", "mmdebstrap", "images cannot be built from packages here"),
    "browser": _programs("browser", "chromium", "tests that need a browser are skipped"),
}
