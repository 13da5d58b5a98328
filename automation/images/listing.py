"""Which images an engine has, and which are missing."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import APIError, ImageNotFound

from automation.images.builder import FOLDER
from automation.images.engine import engine, present
from config.images import PREFIX, references


@dataclass(frozen=True, kw_only=True)
class Row:
    """One role's image: `megabytes` with the layers it shares, `created` in UTC; None where it is not there."""

    role: str
    reference: str
    present: bool
    megabytes: int | None
    created: datetime | None

    def facts(self) -> dict[str, Any]:
        """The row as plain data for JSON."""
        created = self.created.isoformat(timespec="seconds") if self.created else None
        return {**asdict(self), "created": created}


def list_images(*, folder: Path = FOLDER, docker_host: str = "") -> list[Row]:
    """Every role's image, sorted by role. Raises BuildError when no engine answers."""
    rows = []
    with engine(docker_host) as client:
        for role, reference in references(folder).items():
            try:
                inspection = client.inspect_image(reference)
            except ImageNotFound:
                rows.append(Row(role=role, reference=reference, present=False, megabytes=None, created=None))
                continue
            created = datetime.fromisoformat(inspection["Created"][:19]).replace(tzinfo=UTC)
            megabytes = round(inspection["Size"] / 1e6)
            rows.append(
                Row(role=role, reference=reference, present=True, megabytes=megabytes, created=created)
            )
    return rows


def missing(roles: Iterable[str] | None = None, *, folder: Path = FOLDER, docker_host: str = "") -> list[str]:
    """The roles whose image the engine has not, of these or of all. Raises BuildError when no engine answers."""
    names = references(folder)
    with engine(docker_host) as client:
        return [role for role in (names if roles is None else roles) if not present(client, names[role])]


def superseded(*, folder: Path = FOLDER, docker_host: str = "", spare: Collection[str] = ()) -> list[str]:
    """References of ours on the engine that this checkout does not build (any more), sorted. Raises BuildError.

    Without those to `spare`, and without those that a container has, stopped ones and those of other checkouts too.
    """
    references_in_use = {*references(folder).values(), *spare}
    ours = {f"{PREFIX}{role}" for role in references(folder)}
    with engine(docker_host) as client:
        tags = {tag for image in client.images(name=f"{PREFIX}*") for tag in image["RepoTags"] or []}
        old_tags = sorted(tag for tag in tags - references_in_use if tag.rpartition(":")[0] in ours)
        return [tag for tag in old_tags if not _is_used(client, tag)]


def prune(references: Iterable[str], *, docker_host: str = "") -> list[str]:
    """Remove these; return those that are gone. What a container has got meanwhile stays. Raises BuildError."""
    with engine(docker_host) as client:
        return [tag for tag in references if not _is_used(client, tag) and _try_remove(client, tag)]


def _is_used(client: APIClient, tag: str) -> bool:
    # Without force the engine takes the tag from an image in use, too; so it is asked who uses it.
    return bool(client.containers(all=True, filters={"ancestor": tag}, quiet=True))


def _try_remove(client: APIClient, tag: str) -> bool:
    try:
        client.remove_image(tag)
    except (APIError, ImageNotFound):
        return False
    return True
