"""`./portal logs` and `./portal open`: a look at a portal."""

import subprocess
import webbrowser
from typing import Annotated

import typer

from automation.commands import show
from automation.engine import service_logs
from automation.portals import tenant_files
from toolchain import terminal
from toolchain.output import tell_json

app = typer.Typer()
Service = Annotated[str, typer.Argument(metavar="[SERVICE]")]


@app.command(
    epilog="Examples: ./portal logs acme    ./portal logs acme lms --follow    ./portal logs acme --since 10m"
)
def logs(
    tenant: show.TenantName,
    service: Service = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    since: Annotated[
        str,
        typer.Option(
            "--since",
            callback=show.not_empty("a number and s, m, h or d, for example 10m; or leave it out"),
            help="As 30s, 10m, 2h or 1d; all that is kept when it is not said.",
        ),
    ] = "",
    tail: Annotated[int, typer.Option(min=0, help="The last lines of each service; 0 for all.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show what a portal's services say, each line with the service that said it."""
    loaded = tenant_files.load(tenant)
    width = max(map(len, loaded.stays_up))
    for said_by, line in service_logs.logs(loaded, service, follow=follow, since=since, tail=tail):
        if as_json:
            tell_json({"service": said_by, "line": line}, indent=None, flush=follow)
        else:
            # One line is one line, whatever a program has written into its log.
            show.tell(f"{said_by:{width}} | {terminal.line(line)}", flush=follow)


@app.command("open", epilog="Examples: ./portal open acme    ./portal open acme cms --print")
def open_command(
    tenant: show.TenantName,
    service: Service = "lms",
    only_print: Annotated[bool, typer.Option("--print", help="Print the address, and open nothing.")] = False,
    as_json: show.Json = False,
) -> None:
    """Open a portal's page in the browser, or print its address where there is none."""
    url = service_logs.address(tenant_files.load(tenant), service)
    taken = not only_print and opened(url)
    if as_json:
        show.show({"tenant": tenant, "service": service, "url": url, "opened": taken})
    elif not taken:
        show.tell(url)


def opened(url: str) -> bool:
    """Whether a browser took it."""
    try:
        return webbrowser.get().open(url)
    except (webbrowser.Error, OSError, subprocess.SubprocessError):
        return False
