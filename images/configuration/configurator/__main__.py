"""The entry of an Open edX image.

configurator VERB…          render the configuration, then run the image's own entry with its verbs (lms, cms, …)
configurator check FILE     say whether overrides would be accepted; changes nothing
configurator versions       list the accepted versions of the overrides, newest first
configurator restore N      make version N the current file again
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from configurator import files, plain_yaml, rendering, variables
from configurator.log import say
from configurator.overrides import Overrides
from configurator.paths import Paths
from configurator.refusal import Refusal
from configurator.supervisor import Supervisor

# sysexits.h
USAGE, DATA, NO_INPUT, CONFIG = 64, 65, 66, 78
# The verbs that stay up, and the port of each; 0 is none.
PORTS = {"lms": 8000, "cms": 8010, "lms-workers": 0, "cms-workers": 0}


def run(verbs: Sequence[str]) -> int:
    """Render the configuration, then run the image's own entry: under the supervisor if it stays up, else by exec.

    A job runs without overrides: `up` waits for it to succeed.
    """
    software = [*os.environ.get("OPENEDX_ENTRY", "python3 -m standin.entry").split(), *verbs]
    paths = Paths()
    overrides = Overrides(paths)
    if list(verbs[:1]) == list(verbs) and verbs[0] in PORTS:
        # Several containers may have the same verb: each reports under its service's name.
        name = os.environ.get("OPENEDX_SERVICE") or verbs[0]
        return Supervisor(name, software, PORTS[verbs[0]], overrides).run()
    rendering.install_settings(paths, overrides.render_without_overrides())
    os.execvp(software[0], software)  # noqa: S606 (words of our own)


def check(path: str) -> int:
    """Print whether a file would be accepted, or its first finding; returns the exit code."""
    table = variables.Table.load(Paths().home / "variables.yml")
    try:
        content = files.read_regular(Path(path), plain_yaml.LARGEST_BYTES)
        if content is None:
            print(f"{path}: does not exist, expected a file", file=sys.stderr)
            return NO_INPUT
        variables.check(content[0], table)
    except (Refusal, OSError) as error:
        print(f"{path}: {error if isinstance(error, Refusal) else error.strerror}", file=sys.stderr)
        return DATA
    print(f"{path}: accepted")
    return 0


def restore(number: str) -> int:
    """Make an accepted version the current file again; returns the exit code."""
    if not number.isdecimal():
        print(f"configuration: {number!r} is no version number, for example 'restore 7'", file=sys.stderr)
        return USAGE
    try:
        Overrides(Paths()).restore(int(number))
    except Refusal as error:
        print(f"configuration: {error}", file=sys.stderr)
        return DATA
    return 0


def main(words: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    try:
        match list(words):
            case []:
                print(__doc__, file=sys.stderr)
                return USAGE
            case ["check", path]:
                return check(path)
            case ["versions"]:
                print(*Overrides(Paths()).versions(), sep="\n")
                return 0
            case ["restore", number]:
                return restore(number)
            case _:
                return run(words)
    except (OSError, ValueError, KeyError, yaml.YAMLError, rendering.AnsibleError) as error:
        say(f"{type(error).__name__}: {' '.join(str(error).split())}")
        return CONFIG


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
