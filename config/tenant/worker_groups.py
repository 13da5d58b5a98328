"""A tenant's worker groups: queues that it moves from a service's workers into containers of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from config.reading.keys import Reading, build, example_line
from config.reading.nodes import Section, join
from config.reading.words import comma_separated, did_you_mean, quoted
from config.releases.release import Release, ReleaseService
from config.tenant.sections import WorkerGroup
from config.values import names

KEY = "worker_groups"
EXAMPLE = "lms-workers-heavy"
_SHAPE = re.compile(rf"({'|'.join(names.WORKERS)})-[a-z0-9]+(-[a-z0-9]+)*")
# More than any release has queues; beyond them the file is no tenant file.
MOST = 20


def read(reading: Reading, root: Section, release: Release | None, source: str) -> list[str]:
    """The names of the groups that could be read; `source` is where the images come from."""
    node = root.items.get(KEY)
    section = reading.section(node, KEY, f"{EXAMPLE}: {{{example_line(WorkerGroup)}}}") if node else None
    if not section:
        return []
    groups = []
    for name, inner in list(section.items.items())[:MOST]:
        here = join(KEY, name)
        reading.lines[here] = inner.line
        below = reading.section(inner, here, example_line(WorkerGroup))
        if below is not None and _named(reading, here, name):
            of = service(name)
            _group(reading, here, below, of, release.services.get(of) if release else None, source)
            groups.append(name)
    if len(section.items) > MOST:
        reading.wrong(KEY, f"has {len(section.items)} groups, expected {MOST} at most")
    if release:
        _apart(reading, groups, release)
    return groups


def service(name: str) -> str:
    """The service whose queues a container of workers has, by its name."""
    return names.workers_of(name)


def build_groups(reading: Reading, group_names: list[str]) -> dict[str, WorkerGroup]:
    """The groups by name; only when nothing is wrong."""
    return {name: build(WorkerGroup, reading.values, join(KEY, name)) for name in group_names}


def remaining_queues(of: str, release: Release, groups: Mapping[str, WorkerGroup]) -> tuple[str, ...]:
    """The queues that a service of workers keeps."""
    taken = {queue for name, group in groups.items() if service(name) == of for queue in group.queues}
    return tuple(queue for queue in release.services[of].queues if queue not in taken)


def _named(reading: Reading, here: str, name: str) -> bool:
    if _SHAPE.fullmatch(name) and len(name) <= names.LONGEST_GROUP:
        return True
    expected = comma_separated(f"'{each}-…'" for each in names.WORKERS)
    reading.wrong(
        here,
        f"{quoted(name)} is not a group name, expected {expected} in lower case, "
        f"at most {names.LONGEST_GROUP} characters, for example '{EXAMPLE}'",
    )
    return False


def _group(
    reading: Reading, here: str, section: Section, of: str, workers: ReleaseService | None, source: str
) -> None:
    """Reads one group by itself."""
    usual = {
        "memory": workers.usual_memory(source) if workers else 0,
        "workers": workers.workers if workers else 0,
        "grace_seconds": workers.grace_seconds if workers else 0,
    }
    reading.keys(WorkerGroup, section, here, usual)
    if workers:
        count = reading.values.get(f"{here}/workers", workers.workers)
        if "memory" not in section.items:
            reading.values[f"{here}/memory"] = workers.usual_memory(source, count)
        memory = reading.values.get(f"{here}/memory")
        needed = workers.least_memory(source, count)
        if memory is not None and memory < needed:
            what = "a worker" if count <= workers.workers else f"{count} workers"
            least = f"expected at least {needed}MiB"
            reading.wrong(f"{here}/memory", f"{memory}MiB is too little for {what} of {of}, {least}")
    if reading.values.get(f"{here}/queues") == ():
        reading.wrong(f"{here}/queues", "has no queue, expected at least one, for example [high_mem]")


def _apart(reading: Reading, group_names: list[str], release: Release) -> None:
    """Checks that the groups take what there is, each queue once, and not all."""
    for of in names.WORKERS:
        known = release.services[of].queues if of in release.services else ()
        owners: dict[str, str] = {}
        for name in (each for each in group_names if service(each) == of):
            path = join(join(KEY, name), "queues")
            for queue in reading.values.get(path, ()):
                if queue not in known:
                    guess = did_you_mean(queue, known) or ";"
                    reading.wrong(
                        path,
                        f"{quoted(queue)} is not a queue of {of}{guess} there are: {comma_separated(known)}",
                    )
                elif queue in owners:
                    reading.wrong(path, f"'{queue}' is in {owners[queue]} already, expected one group")
                owners.setdefault(queue, name)
            if known and set(known) <= owners.keys():
                reading.wrong(
                    path, f"leaves no queue for {of}, expected at least one to stay: {comma_separated(known)}"
                )
                break
