"""The `portal` command: every family of verbs, and how each failure ends."""

import typer

from automation.cancellation import interrupt_on_termination
from automation.commands import checks, drive, images, logs, onboarding, portals, purge, review
from automation.commands.show import say
from automation.errors import PortalError
from automation.fleet.outcome import BAD_WORDS
from automation.images.event import BuildError
from config.images import ImageError
from config.reading.errors import ConfigError

EPILOG = (
    "Also: ./portal setup (installs engine, Pulumi CLI and plugins), "
    'eval "$(./portal env)" (sets up the shell for the plain pulumi command), '
    "./portal engine start|stop|status|rules.\n\n"
    "Exit codes: 0 success, 1 failure, 2 invalid arguments or tenant file, 3 not confirmed, "
    "4 locked by another command, 5 no Docker engine, 6 unhealthy, 7 drive not mounted, "
    "8 preview: the change would delete data or leave it behind (without --allow data-loss), 9 new: the host has not enough memory "
    "or disk (up and preview end with 10 then), 10 the engine would refuse the change, "
    "11 the portal belongs to another state, 12 an openedx image does not keep the contract, 130 interrupted, 141 the reader of the output closed it.\n\n"
    "With several tenants: the exit code that all failures share, otherwise 1."
)

app = typer.Typer(
    help="Private Open edX portals as code.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    # toolchain/output.py tells what fails, in one line.
    pretty_exceptions_enable=False,
)
app.add_typer(portals.app)
app.add_typer(review.app)
app.add_typer(onboarding.app)
app.add_typer(logs.app)
app.add_typer(purge.app)
app.add_typer(images.app, name="images")
app.add_typer(drive.app, name="drive")
app.add_typer(checks.app)


def main() -> int:
    """Run the command; errors of ours become one clear text and an exit code. All else is for `output.exit_code_of`."""
    interrupt_on_termination()
    try:
        # Typer ends by SystemExit with its own codes: 0, 2 for wrong words, 130 when interrupted.
        app(prog_name="portal")
    except ConfigError as error:
        say(str(error))
        return BAD_WORDS
    except PortalError as error:
        say(f"error: {error}")
        return error.exit_code
    except (BuildError, ImageError) as error:
        say(f"error: {error}")
        return 1
    return 0
