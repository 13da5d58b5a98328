"""Builds the images that stand on public ones: `images/<role>` with a public image as BASE."""

import threading
from functools import partial
from pathlib import Path

from automation.images.builder import FOLDER, BuildContext, build, run_build
from automation.images.context import context
from automation.images.engine import cache_folder, engine, present
from automation.images.event import Event, Progress, State, silent
from config.images import references
from config.portal.image_sources import ADDED, Derived


def derive(
    derived: list[Derived], *, folder: Path = FOLDER, docker_host: str = "", on_event: Progress = silent
) -> list[str]:
    """Build those that the engine has not, after what they take from; the public images are there. Raises BuildError."""
    with engine(docker_host) as client:
        lacking = [each for each in derived if not present(client, each.reference)]
        if lacking:
            build([ADDED], folder=folder, docker_host=docker_host, on_event=on_event)
        for each in lacking:
            known = references(folder)
            shop = BuildContext(
                client=client,
                folder=folder,
                cache=cache_folder(),
                references={**known, each.role: each.reference},
                on_event=on_event,
                stop=threading.Event(),
            )
            tell = partial(_tell, on_event, each.role)
            arguments = {"BASE": each.public, "PYTHON": each.python, ADDED.upper(): known[ADDED]}
            on_event(Event(role=each.role, state=State.BUILDING))
            with context(each.role, folder, {}) as tar:
                run_build(each.role, tar, arguments, shop, tell)
            on_event(Event(role=each.role, state=State.BUILT))
    return [each.reference for each in lacking]


def _tell(on_event: Progress, role: str, line: str) -> None:
    on_event(Event(role=role, state=State.BUILDING, line=line))
