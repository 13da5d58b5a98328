"""What the CLI runs Python programs with: a host program from a Go module, and the script it starts."""

from collections.abc import Callable
from pathlib import Path

from toolchain import files
from toolchain.parts.golang import FOLDER, Go, progress
from toolchain.parts.pulumi_cli import MODULE as CLI_MODULE
from toolchain.parts.pulumi_cli import SDK
from toolchain.process import Runner

MODULE = FOLDER / "host"
NAME = "pulumi-language-python"
SCRIPT = "pulumi-language-python-exec"


def build(go: Go, to: Path, runner: Runner, say: Callable[[str], None]) -> Path:
    """Build the language host from its module into a folder, with the CLI's own script; return the host.

    The last tag of the module that has the host in it is older than the CLI; they talk to each other all the same.
    Raises ToolchainError.
    """
    to.mkdir(parents=True, exist_ok=True)
    made = files.unfinished(to / NAME)
    go.build(
        MODULE,
        f"{SDK}/python/cmd/{NAME}",
        made,
        runner,
        log="language-host",
        flags=("-ldflags", "-s -w"),
        watch=progress(say),
    )
    script = go.fetch(CLI_MODULE, SDK, runner) / "python" / "cmd" / SCRIPT
    files.write(to / SCRIPT, script.read_text(), mode=0o755)
    files.move_into_place(made, to / NAME)
    return to / NAME
