"""`python3 -m toolchain`: what the `portal` script calls, with any Python of 3.11 or newer and nothing else."""

import sys

# Nothing newer than Python 3.5 may stand above this.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "portal: needs Python 3.11 or newer, this is " + sys.version.split()[0] + " (" + sys.executable + ")"
    )

from toolchain.command import main

sys.exit(main(sys.argv[1:]))
