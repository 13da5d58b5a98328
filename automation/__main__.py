"""`python -m automation`: what `./portal` runs once the machine is set up."""

import sys

from plugins.startup import freeze_objects, postpone_unused
from toolchain import output


def main() -> int:
    """The `portal` command."""
    output.prepare_streams()
    return output.exit_code_of(_portal)


def _portal() -> int:
    postpone_unused(())
    from automation.cli import main as portal

    freeze_objects()
    return portal()


if __name__ == "__main__":
    sys.exit(main())
