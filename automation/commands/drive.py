"""`./portal drive`: the drive that the hosts share."""

from typing import Annotated

import typer

from automation import images
from automation.commands import show
from automation.drive import sentinel
from automation.engine import inventory
from automation.images.progress import building

app = typer.Typer(help="Mark the drive that the hosts share.", no_args_is_help=True)


@app.command("init", epilog="Example: ./portal drive init /srv/portals")
def drive_init(
    root: Annotated[
        str, typer.Argument(metavar="ROOT", help="Mount point of the drive on the engine's host.")
    ],
    docker_host: show.DockerHost = "",
    moved: Annotated[
        bool,
        typer.Option("--moved", help="Accept a marked drive that was moved to another file system."),
    ] = False,
    as_json: show.Json = False,
) -> None:
    """Mark a mounted drive as the portals' drive, once. No portal starts on an unmarked drive."""
    with inventory.connect(docker_host) as client:
        with building(present=False) as progress:
            images.build(["ops"], docker_host=docker_host, on_event=progress)
        marked = sentinel.init(client, root, show.say, moved=moved)
    if as_json:
        show.show({"root": root, "marked": marked})
    elif not marked:
        show.say(f"{root} is already marked")
