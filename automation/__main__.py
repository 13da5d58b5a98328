"""`python -m automation`: what `./portal` runs once the machine is set up."""

import sys

from plugins.startup import hasten, settle
from toolchain import output


def main() -> int:
    """The `portal` command."""
    output.settle()
    return output.ended(_portal)


def _portal() -> int:
    hasten(())
    from automation.cli import main as portal

    settle()
    return portal()


if __name__ == "__main__":
    sys.exit(main())
