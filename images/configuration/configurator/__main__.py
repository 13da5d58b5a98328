"""The entry of an Open edX image.

configurator VERB…          what the image's own entry knows (lms, cms, …), with its configuration made first
configurator check FILE     whether overrides would be accepted; nothing is changed
configurator versions       the accepted versions of the overrides, newest first
configurator restore N      make version N the file again
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from configurator import files, plain_yaml, rendering, variables
from configurator.log import say
from configurator.overrides import Keeper
from configurator.paths import Places
from configurator.refusal import Refusal
from configurator.supervisor import Supervisor

# sysexits.h
USAGE, DATA, NO_INPUT, CONFIG = 64, 65, 66, 78
# What stays up, and where it listens.
PORTS = {"lms": 8000, "cms": 8010, "lms-workers": 0, "cms-workers": 0}


def run(verbs: Sequence[str]) -> int:
    """Configure, then run the image's own entry: supervised if it stays up, else in this process's place.

    A job ends, and `up` waits for it to end well: it runs without overrides.
    """
    software = [*os.environ.get("OPENEDX_ENTRY", "python3 -m standin.entry").split(), *verbs]
    places = Places()
    keeper = Keeper(places)
    if list(verbs[:1]) == list(verbs) and verbs[0] in PORTS:
        # Several containers may have one verb: each reports by its own name.
        name = os.environ.get("OPENEDX_SERVICE") or verbs[0]
        return Supervisor(name, software, PORTS[verbs[0]], keeper).run()
    rendering.take(places, keeper.without_overrides())
    os.execvp(software[0], software)  # noqa: S606 (words of our own)


def check(path: str) -> int:
    """Print the finding of a file."""
    table = variables.Table.load(Places().home / "variables.yml")
    try:
        found = files.read_regular(Path(path), plain_yaml.LARGEST_BYTES)
        if found is None:
            print(f"{path}: is not there, expected a file", file=sys.stderr)
            return NO_INPUT
        variables.check(found[0], table)
    except (Refusal, OSError) as error:
        print(f"{path}: {error if isinstance(error, Refusal) else error.strerror}", file=sys.stderr)
        return DATA
    print(f"{path}: accepted")
    return 0


def restore(number: str) -> int:
    """Make an accepted version the file again."""
    if not number.isdecimal():
        print(f"configuration: {number!r} is no version, for example 'restore 7'", file=sys.stderr)
        return USAGE
    try:
        Keeper(Places()).restore(int(number))
    except Refusal as error:
        print(f"configuration: {error}", file=sys.stderr)
        return DATA
    return 0


def main(words: Sequence[str]) -> int:
    """The exit code."""
    try:
        match list(words):
            case []:
                print(__doc__, file=sys.stderr)
                return USAGE
            case ["check", path]:
                return check(path)
            case ["versions"]:
                print(*Keeper(Places()).versions(), sep="\n")
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
