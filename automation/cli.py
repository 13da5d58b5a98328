"""The `portal` command: every family of verbs, and how each failure ends."""

import typer

from automation.cancellation import as_interrupts
from automation.commands import checks, drive, images, logs, onboarding, portals, purge, review
from automation.commands.show import say
from automation.errors import PortalError
from automation.fleet.outcome import BAD_WORDS
from automation.images.event import BuildError
from config.images import ImageError
from config.reading.errors import ConfigError

EPILOG = (
    "Also: ./portal setup (puts engine, CLI and plugins on this machine), "
    'eval "$(./portal env)" (for the plain pulumi command), ./portal engine start|stop|status|rules.  '
    "Exit codes: 0 done, 1 failed, 2 wrong words or a wrong tenant file, 3 not confirmed, 4 locked by another run, "
    "5 no engine, 6 not healthy in time, 7 the drive is not mounted, 8 a preview puts data at risk, "
    "9 no room on the host, 10 the engine would refuse it, 11 another state's portal, 130 interrupted, "
    "141 whoever read the output has gone. Of several tenants: the code "
    "that all failures share, else 1."
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
    """Run the command; errors of ours become one clear text and an exit code. All else is for `output.ended`."""
    as_interrupts()
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
