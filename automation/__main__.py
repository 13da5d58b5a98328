"""`python -m automation`: what `./portal` runs once the machine is set up."""

import sys

from plugins.startup import hasten, settle


def main() -> int:
    """The `portal` command."""
    hasten(())
    from automation.cli import main as portal

    settle()
    return portal()


if __name__ == "__main__":
    sys.exit(main())
