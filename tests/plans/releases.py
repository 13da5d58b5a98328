"""docs/releases.md: the releases as a reader sees them, and what a portal gets that goes from one to the next."""

from collections.abc import Iterator, Mapping

from config.releases.release import Release, ReleaseService
from config.releases.support import newest
from config.releases.upgrades import unreadable_stores

HEAD = """\
# Releases

This page says what a portal of each Open edX release is made of, and what an upgrade to the next release changes.
It is written from [config/releases](../config/releases) by `UPDATE_PLANS=1 ./portal test tests/plans`. [tests/plans](../tests/plans)
has the plan of one tenant in each release (`acme@<release>.txt`). Compare two of them line by line.
How an upgrade is guarded: [decision 0007](decisions/0007-releases.md). Where images come from: [images.md](images.md).

The versions are those of public images (`images: hub`), which are the versions that the release was made with. Images built
here (`images: packages`) have the same versions for every release; [images.md](images.md) lists them. "built here" means that
the service has no public image: it is built here for every image source.
"""


def page(releases: Mapping[str, Release]) -> str:
    """The whole page, oldest release first."""
    ordered = sorted(releases.values(), key=lambda each: age(each, releases))
    lines = [HEAD, *table(ordered), *supported(ordered)]
    for each in ordered:
        for before in each.follows:
            lines += [
                "",
                f"## From {releases[before].title} to {each.title}",
                "",
                *note(releases[before], each),
            ]
    return "\n".join(lines) + "\n"


def age(release: Release, releases: Mapping[str, Release]) -> int:
    """How many releases came before it."""
    return max((1 + age(releases[before], releases) for before in release.follows), default=0)


def table(ordered: list[Release]) -> Iterator[str]:
    """Services and their versions, a column a release."""
    yield "| service | " + " | ".join(each.title for each in ordered) + " |"
    yield "|---|" + "---|" * len(ordered)
    for name in sorted({name for each in ordered for name in each.services}):
        cells = (version(each.services[name]) if name in each.services else "" for each in ordered)
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield (
        "| *images* | " + " | ".join("hub" if each.unpackaged else "packages, hub" for each in ordered) + " |"
    )


def supported(ordered: list[Release]) -> Iterator[str]:
    """Until when Open edX supports each, what its public images lack, and which one to begin with."""
    yield from ("", "## Support", "")
    yield "Open edX supports only its newest release, until the day of the next one. A day in the future is a plan."
    yield "`./portal tenants` and previews report a portal whose release is not supported any more."
    yield from ("", "| release | support ends | source | what its public images lack |", "|---|---|---|---|")
    for each in ordered:
        lacks = " ".join(each.lacks) or "nothing known"
        yield f"| {each.title} | {each.support_ends} | [Open edX]({each.support_source}) | {lacks} |"
    best = newest({each.name: each for each in ordered})
    yield from (
        "",
        f"**A new portal should have {best.name}**: of the releases whose public images lack nothing, the one",
    )
    yield "that is supported longest. `./portal new` and `./portal demo` choose it if its images can be pulled"
    yield "([decision 0020](decisions/0020-what-a-newcomer-gets.md))."


def note(before: Release, after: Release) -> Iterator[str]:
    """What changes, one line a fact."""
    for name in sorted(after.services.keys() - before.services.keys()):
        yield f"- **New: {name}** {after.services[name].version}{listens(after, name)}."
    for name in sorted(before.services.keys() - after.services.keys()):
        kept = " Its directory stays on the drive." if before.services[name].data else ""
        yield f"- **Gone: {name}.**{kept}"
    for name in sorted(before.services.keys() & after.services.keys()):
        old, new = before.services[name], after.services[name]
        sentences = [
            f"{what} {one} → {other}"
            for what, one, other in (
                ("", version(old), version(new)),
                ("port", old.port, new.port),
                ("memory in MiB", old.memory, new.memory),
                ("with public images", old.usual_memory("hub"), new.usual_memory("hub")),
                ("grace in seconds", old.grace_seconds, new.grace_seconds),
            )
            if one != other
        ]
        if sentences:
            yield f"- {name}: {', '.join(sentences).replace(':  ', ': ').strip()}"
    if before.cache != after.cache:
        yield f"- Open edX's cache: `{before.cache}` → `{after.cache}`"
    for line in after.notes:
        yield f"- {line}"
    closed = unreadable_stores(before, after)
    if closed:
        yield f"- **Not with public images**, whose data stores cannot: {'; '.join(closed)}. Move the data by dumps."
    if after.unpackaged:
        yield f"- Only with public images: {after.unpackaged}."


def version(service: ReleaseService) -> str:
    """The version of a service's public image; one that has none is built here, whatever the release."""
    return service.version if service.hub.image else "built here"


def listens(release: Release, name: str) -> str:
    """Where a service listens, if anywhere."""
    port = release.services[name].port
    return f", port {port}" if port else ""
