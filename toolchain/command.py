"""The verbs setup, env, engine and run. stdout has facts only; everything else goes to stderr."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from toolchain import environment, output
from toolchain.errors import ToolchainError
from toolchain.parts import engine
from toolchain.paths import REPO, Paths, check
from toolchain.pins import Pins
from toolchain.setup.installation import PARTS, Installation
from toolchain.setup.stamps import PartResult

if TYPE_CHECKING:
    import argparse

DEFAULT = frozenset(PARTS) - {"browser"}
# What only reads files of the repo needs no engine and no Pulumi.
LIGHT = frozenset({"venv"})
LIGHT_VERBS = frozenset({"lint", "tenants", "changed", "comment"})
# What compares the program with the state starts no engine: the portals' own may be elsewhere, or out of reach.
STATE = DEFAULT - {"engine", "images"}
STATE_VERBS = frozenset({"preview"})
# What begins with building the portal's images; where the CLI is to be built too, both are done at once.
IMAGE_VERBS = frozenset({"demo", "test"})


def parts_for(words: Sequence[str]) -> frozenset[str]:
    """The parts that a verb of the portal command needs."""
    if not words or set(words) & {"--help", "-h", "--version"} or words[0] in LIGHT_VERBS:
        return LIGHT
    if words[0] in STATE_VERBS:
        return STATE
    return frozenset(PARTS) if words[0] == "test" else DEFAULT


def main(words: Sequence[str]) -> int:
    """Run a verb; return its exit code."""
    output.prepare_streams()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    return output.exit_code_of(lambda: _verb(words))


def _verb(words: Sequence[str]) -> int:
    # `run` hands its words on as they are, options and all.
    if words[:1] == ["run"]:
        return _run_verb(lambda: run(words[1:]))
    # Imported where they are used: a look at what stands is to take no time.
    arguments = _parser().parse_args(words)
    return _run_verb(lambda: arguments.verb(arguments))


def _end(number: int, frame: FrameType | None) -> NoReturn:
    output.say(f"portal: ended by {signal.Signals(number).name}; safe to re-run")
    raise SystemExit(128 + number)


def _run_verb(verb: Callable[[], int]) -> int:
    try:
        return verb()
    except ToolchainError as error:
        output.say(f"portal: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        output.say("portal: interrupted; safe to re-run")
        return output.INTERRUPTED


def _parser() -> "argparse.ArgumentParser":
    import argparse

    parser = argparse.ArgumentParser(
        prog="portal", description="Install the toolchain on this machine and run it."
    )
    verbs = parser.add_subparsers(required=True)

    def verb(name: str, does: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=does, description=does)

    setup = verb("setup", "Install what is missing: engine, Pulumi CLI, plugins, virtual environment.")
    setup.add_argument("--json", action="store_true", help="print the facts as one JSON object")
    setup.add_argument(
        "--only",
        action="append",
        choices=PARTS,
        default=[],
        metavar="PART",
        help=f"install this part alone; repeat for more: {', '.join(PARTS)}",
    )
    setup.add_argument(
        "--force-part",
        action="append",
        choices=PARTS,
        default=[],
        metavar="PART",
        help="install this part again",
    )
    setup.set_defaults(verb=_setup)
    env = verb("env", 'Print lines that set up a shell for the plain pulumi command: eval "$(./portal env)".')
    env.add_argument("--json", action="store_true", help="print the variables as one JSON object")
    env.set_defaults(verb=_env)
    daemon = verb(
        "engine",
        "Manage the Docker engine. start: start it. stop: stop an engine that was started here. "
        "status: show whether it answers. rules: install the host's packet rules for portals.",
    )
    daemon.add_argument("what", choices=("start", "stop", "status", "rules"))
    daemon.add_argument("--json", action="store_true", help="print the facts as one JSON object")
    daemon.set_defaults(verb=_engine)
    return parser


def _installation() -> Installation:
    check(os.environ)
    return Installation(dict(os.environ), Paths.of(os.environ), Pins.load())


def _ensure(
    installation: Installation,
    parts: frozenset[str],
    forced: frozenset[str] = frozenset(),
    *,
    ahead: bool = False,
) -> dict[str, PartResult]:
    """What is wanted, made if need be. Silent and quick when all of it stands."""
    there = installation.all(parts)
    if forced or parts - set(there):
        # Imported here: what makes parts takes longer to load than a look at what stands.
        from toolchain.setup.progress import Progress
        from toolchain.setup.setup import setup

        return setup(installation, parts, forced, Progress(sys.stderr), ahead=ahead)
    return there


def _setup(arguments: "argparse.Namespace") -> int:
    begun = time.monotonic()
    parts = frozenset(arguments.only) or DEFAULT
    forced = frozenset(arguments.force_part)
    results = _ensure(_installation(), parts | forced, forced)
    seconds = time.monotonic() - begun
    if arguments.json:
        output.tell_json(summary(results, seconds), indent=None)
    else:
        say_parts(results, seconds)
    return 0


def say_parts(results: Mapping[str, PartResult], seconds: float) -> None:
    """Print what was installed from where, and how long all of it took."""
    # Imported here: a look at what is installed is to take no time.
    from toolchain.setup.progress import table
    from toolchain.table import say_table

    say_table(table(list(results.values())), f"setup: {len(results)} parts in {seconds:.1f} s")


def summary(results: Mapping[str, PartResult], seconds: float) -> dict[str, object]:
    """What was taken from where, for one JSON object."""
    return {"seconds": round(seconds, 1), "parts": [asdict(each) for each in results.values()]}


def variables(installation: Installation, results: Mapping[str, PartResult]) -> dict[str, str]:
    """The environment to export once parts stand."""
    first = [installation.venv_path / "bin"]
    for part in ("pulumi", "language-host"):
        if (
            part in results
            and results[part].source != "there"
            and (folder := Path(results[part].where).parent) not in first
        ):
            first.append(folder)
    own_plugins = "plugins" in results and results["plugins"].source == "packages"
    return environment.exports(installation.paths, installation.env, tuple(first), own_plugins=own_plugins)


def _env(options: "argparse.Namespace") -> int:
    installation = _installation()
    values = variables(installation, _ensure(installation, DEFAULT))
    if options.json:
        output.tell_json(values)
    else:
        output.write_for_program(environment.shell(values))
    return 0


def run(words: Sequence[str]) -> NoReturn:
    """Become `python -m automation` with the words given, in the environment it wants."""
    begun = time.monotonic()
    installation = _installation()
    results = _ensure(installation, parts_for(words), ahead=bool(words) and words[0] in IMAGE_VERBS)
    env = {**installation.env, **variables(installation, results)}
    if any(each.seconds for each in results.values()):
        seconds = time.monotonic() - begun
        say_parts(results, seconds)
        # For a command that tells how long all of it took.
        import json

        env["PORTAL_SETUP"] = json.dumps(summary(results, seconds))
    os.chdir(REPO)
    python = installation.venv_path / "bin" / "python"
    os.execve(python, [str(python), "-m", "automation", *words], env)  # noqa: S606


def _engine(arguments: "argparse.Namespace") -> int:
    from toolchain.parts.dockerd import Daemon
    from toolchain.parts.host_rules import HostRules

    installation = _installation()
    rules = HostRules(installation.env, installation.paths)
    daemon = Daemon(installation.paths.engine)
    done = ""
    if arguments.what == "start":
        _ensure(installation, frozenset({"engine"}))
        rules.ensure()
    elif arguments.what == "rules":
        rules.hold()
    elif arguments.what == "stop":
        done = "stopped" if daemon.stop() else "nothing stopped: no dockerd that was started here is running"
    answer = engine.ask(installation.env, installation.pins.engine_oldest_api)
    started_here = daemon.process() is not None
    if arguments.json:
        facts = {
            "state": answer.state,
            "where": answer.where,
            "version": answer.version,
            "started_here": started_here,
            "host_rules": rules.state(),
        }
        output.tell_json(facts, indent=None)
    else:
        by_whom = " (started here)" if started_here else ""
        held = f"; host rules {rules.state()}" if answer.usable else ""
        output.tell(
            done or f"{answer.state}: {answer.where} {answer.version or answer.detail}{by_whom}{held}"
        )
    return 0 if arguments.what == "stop" or answer.usable else 1
