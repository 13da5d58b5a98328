"""Builds the images that an engine lacks: those others stand on first, two at a time."""

import re
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import DockerException
from requests.exceptions import RequestException

from automation.images import jars, wheels
from automation.images.command import LAST_LINES
from automation.images.context import context
from automation.images.engine import cache_folder, engine, present
from automation.images.event import BuildError, Event, Progress, State, Stopped, silent
from automation.images.rootfs import rootfs
from automation.images.stages import Stages
from config.images import Recipe, recipes, references
from config.portal.labels import ROLE

FOLDER = Path(__file__).resolve().parents[2] / "images"
# Two saved 30 % on two cores; unpacking packages keeps a core busy, so more gain nothing.
AT_ONCE = 2
LIMIT_SECONDS = 1200
# A build step's container; what it may write to is its own layer.
_STEP_MEMORY = 2 * 1024**3
# The engine paints what a step says on its standard error.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """What all builds of one run share."""

    client: APIClient
    folder: Path
    cache: Path
    references: Mapping[str, str]
    on_event: Progress
    stop: threading.Event


def build(
    roles: Iterable[str] | None = None,
    *,
    folder: Path = FOLDER,
    docker_host: str = "",
    cache: Path | None = None,
    on_event: Progress = silent,
) -> dict[str, str]:
    """Build each role's image and what it stands on, unless the engine has them; return role → reference.

    All roles when none is named. Safe to kill: what a finished step made is there the next time. Raises BuildError
    for a failed build or a missing engine, ImageError for a folder that is not right.
    """
    known = recipes(folder)
    names = references(folder)
    roles_to_build = sorted(known) if roles is None else sorted(set(roles))
    with engine(docker_host) as client:
        there = {role for role in known if present(client, names[role])}
        for role in sorted(there.intersection(roles_to_build)):
            on_event(Event(role=role, state=State.PRESENT))
        shop = BuildContext(
            client=client,
            folder=folder,
            cache=cache or cache_folder(),
            references=names,
            on_event=on_event,
            stop=threading.Event(),
        )
        _all(missing_recipes(roles_to_build, known, there), shop)
    return {role: names[role] for role in roles_to_build}


def missing_recipes(
    role_names: Iterable[str], known: Mapping[str, Recipe], there: Collection[str]
) -> list[Recipe]:
    """What must be built for the asked roles: those that are not there, and what these stand on if it is not there.

    Raises BuildError for a role that is not known.
    """
    roles: set[str] = set()
    rest = list(role_names)
    while rest:
        role = rest.pop()
        if role not in known:
            raise BuildError(f"there is no image of the role {role!r}; known are: {', '.join(sorted(known))}")
        if role not in there and role not in roles:
            roles.add(role)
            rest.extend(known[role].needs)
    return [recipe for role, recipe in known.items() if role in roles]


def _all(to_build: Sequence[Recipe], shop: BuildContext) -> None:
    """Build them, as early as what they stand on allows. The first failure stops the others and is raised."""
    by_role = {recipe.role: recipe for recipe in to_build}
    order = TopologicalSorter({recipe.role: by_role.keys() & set(recipe.needs) for recipe in to_build})
    order.prepare()
    failure: Exception | None = None
    with ThreadPoolExecutor(AT_ONCE, "images") as pool:
        running: dict[Future[None], str] = {}
        try:
            while order.is_active() and failure is None:
                # Those that others wait for first: the longest chain decides when all is done.
                ready = sorted(order.get_ready(), key=lambda role: (-_waiting(role, to_build), role))
                for role in ready:
                    running[pool.submit(_one, by_role[role], shop)] = role
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    role = running.pop(each)
                    failure = failure or _failure(each)
                    order.done(role)
        finally:
            if failure is not None or running:
                shop.stop.set()
                for each in running:
                    each.cancel()
    if failure is not None:
        raise failure


def _failure(finished: Future[None]) -> Exception | None:
    error = finished.exception()
    if error is None or isinstance(error, Exception):
        return error
    raise error


def _waiting(role: str, to_build: Sequence[Recipe]) -> int:
    return sum(role in recipe.needs for recipe in to_build)


def _one(recipe: Recipe, shop: BuildContext) -> None:
    """Build one role's image from what is there. Raises BuildError or Stopped."""
    began = time.monotonic()

    def tell(state: State, line: str = "") -> None:
        shop.on_event(Event(role=recipe.role, state=state, seconds=time.monotonic() - began, line=line))

    try:
        if shop.stop.is_set():
            raise Stopped
        arguments = _arguments(recipe, shop, partial(tell, State.FETCHING))
        extra = _extra(recipe, shop, partial(tell, State.FETCHING))
        tell(State.BUILDING)
        with context(recipe.role, shop.folder, extra) as tar:
            if references(shop.folder)[recipe.role] != shop.references[recipe.role]:
                raise BuildError(
                    f"{recipe.role}: files of images/ changed since the build began; build again"
                )
            run_build(recipe.role, tar, arguments, shop, partial(tell, State.BUILDING))
    except BuildError as error:
        tell(State.FAILED, error.reason)
        raise
    except (DockerException, RequestException, OSError) as error:
        tell(State.FAILED, str(error))
        raise BuildError(f"{recipe.role}: {error}") from error
    tell(State.BUILT)


def _arguments(recipe: Recipe, shop: BuildContext, on_line: Any) -> dict[str, str]:
    """The build arguments: BASE, and one for each role of `uses`."""
    named = {role.upper().replace("-", "_"): shop.references[role] for role in recipe.uses}
    if recipe.parent is not None:
        return {**named, "BASE": shop.references[recipe.parent]}
    base = rootfs(shop.client, recipe.packages, shop.cache, stop=shop.stop, on_line=on_line)
    return {**named, "BASE": base}


def _extra(recipe: Recipe, shop: BuildContext, on_line: Any) -> dict[str, Path]:
    """The downloaded folders that are laid into the build."""
    home = shop.folder / recipe.role
    extra = {}
    if recipe.wheels:
        machine = str(shop.client.info()["Architecture"])
        extra["wheels"] = wheels.fetch(
            home / recipe.wheels, machine, shop.cache, stop=shop.stop, on_line=on_line
        )
    if recipe.jars and recipe.parent:
        base = shop.references[recipe.parent]
        extra["jars"] = jars.fetch(
            home / recipe.jars, shop.client, base, shop.cache, stop=shop.stop, on_line=on_line
        )
    return extra


def run_build(role: str, tar: Any, arguments: Mapping[str, str], shop: BuildContext, on_line: Any) -> None:
    """Have the engine build a context; the classic builder, which every engine has."""
    deadline = time.monotonic() + LIMIT_SECONDS
    stages = Stages()
    last: deque[str] = deque(maxlen=LAST_LINES)
    failed = ""
    steps = shop.client.build(
        fileobj=tar,
        custom_context=True,
        tag=shop.references[role],
        buildargs=dict(arguments),
        labels={ROLE: role},
        rm=True,
        forcerm=True,
        decode=True,
        container_limits={"memory": _STEP_MEMORY},
    )
    for step in steps:
        if shop.stop.is_set():
            steps.close()
            raise Stopped
        if time.monotonic() > deadline:
            steps.close()
            raise BuildError(f"{role}: the build took longer than {LIMIT_SECONDS} s", tuple(last))
        for line in _COLOUR.sub("", str(step.get("stream", ""))).splitlines():
            if line.strip():
                last.append(line.rstrip())
                stages.read_line(line)
                on_line(line.strip())
        # Read to its end all the same: docker-py closes the connection of no answer that was left half read.
        failed = failed or str(step.get("error", "")).strip()
    if failed:
        raise BuildError(f"{role}: the build failed: {failed}", tuple(last))
    stages.remove(shop.client)
