"""Which release a portal may go to from the one it has, by what the release files say."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from config.reading.words import comma_separated
from config.releases.release import Release


@dataclass(frozen=True, kw_only=True)
class DeployedRelease:
    """What a portal's data belongs to: a release by name, and the source of the images that wrote it."""

    release: str
    images: str

    def __str__(self) -> str:
        return f"{self.release} from {self.images}"


def path(start: str, end: str, releases: Mapping[str, Release]) -> tuple[str, ...]:
    """The shortest way from one release to another by `follows`, both included; empty when there is none."""
    ways: deque[tuple[str, ...]] = deque([(end,)])
    seen = {end}
    while ways:
        way = ways.popleft()
        if way[0] == start:
            return way
        known = releases.get(way[0])
        for before in known.follows if known else ():
            if before not in seen:
                seen.add(before)
                ways.append((before, *way))
    return ()


def unreadable_stores(before: Release, after: Release) -> list[str]:
    """The data stores of `after` that cannot open what those of `before` wrote, in words."""
    problems = []
    for name, service in sorted(after.services.items()):
        old = before.services.get(name)
        if not old or name not in service.data:
            continue
        if old.version != service.version and not any(
            f"{old.version}.".startswith(f"{each}.") for each in service.opens
        ):
            problems.append(f"{name} {service.version} cannot open the files of {old.version}")
    return problems


def why_refused(now: DeployedRelease | None, target: DeployedRelease, releases: Mapping[str, Release]) -> str:
    """Why a portal that has `now` may not become `wanted`, with the remedy; empty when it may."""
    if now is None or now == target:
        return ""
    if now.images != target.images:
        return (
            f"images: the portal's data was written by {now.images} images, which those of {target.images} "
            f"cannot read; keep `images: {now.images}`, or create a new tenant and move the data by dumps"
        )
    if now.release == target.release:
        return ""
    if now.release not in releases:
        return (
            f"release: the portal has {now.release}, which config/releases does not have; "
            f"use the checkout that brought the portal up"
        )
    if path(target.release, now.release, releases):
        return (
            f"release: the portal has {now.release}, which is newer than {target.release}, and data only goes "
            f"forward; keep `release: {now.release}`, or restore a backup of {target.release} into a new tenant"
        )
    way = path(now.release, target.release, releases)
    if not way:
        return (
            f"release: there is no upgrade path from {now.release} to {target.release}; "
            f"{target.release} follows: {comma_separated(releases[target.release].follows)}"
        )
    if len(way) > 2:
        return (
            f"release: {target.release} cannot follow {now.release}; upgrade {' → '.join(way)}, "
            f"next `release: {way[1]}`, one `up` each"
        )
    closed = (
        unreadable_stores(releases[now.release], releases[target.release]) if target.images == "hub" else []
    )
    if closed:
        return (
            f"release: {target.release} follows {now.release}, but {'; '.join(closed)}; "
            "create a new tenant and move the data by dumps"
        )
    return ""


def before(target: DeployedRelease, releases: Mapping[str, Release]) -> tuple[DeployedRelease, ...]:
    """What a portal's data may belong to when `wanted` takes it over."""
    every = (DeployedRelease(release=name, images=target.images) for name in sorted(releases))
    return tuple(each for each in every if not why_refused(each, target, releases))
