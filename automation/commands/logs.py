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
Service = Annotated[
    str, typer.Argument(metavar="[SERVICE]", help="A service of the portal, for example lms.")
]


@app.command(
    epilog="Examples: ./portal logs acme    ./portal logs acme lms --follow    ./portal logs acme --since 10m"
)
def logs(
    tenant: show.TenantName,
    service: Service = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow the logs until Ctrl-C.")] = False,
    since: Annotated[
        str,
        typer.Option(
            "--since",
            callback=show.not_empty("a number and s, m, h or d, for example 10m; or leave it out"),
            help="Only lines newer than this: 30s, 10m, 2h, 1d. Default: all that is kept.",
        ),
    ] = "",
    tail: Annotated[
        int, typer.Option(min=0, help="Number of last lines of each service. 0 shows all.")
    ] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Show the logs of a portal's services. Each line names its service."""
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
    only_print: Annotated[bool, typer.Option("--print", help="Print the address. Open no browser.")] = False,
    as_json: show.Json = False,
) -> None:
    """Open a portal's page in the browser. Without a browser, print its address."""
    url = service_logs.address(tenant_files.load(tenant), service)
    taken = not only_print and open_in_browser(url)
    if as_json:
        show.show({"tenant": tenant, "service": service, "url": url, "opened": taken})
    elif not taken:
        show.tell(url)


def open_in_browser(url: str) -> bool:
    """Whether a browser took it."""
    try:
        return webbrowser.get().open(url)
    except (webbrowser.Error, OSError, subprocess.SubprocessError):
        return False
