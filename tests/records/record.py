"""A request and the answer that the real edx-platform gave to it, as files keep them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
OPENEDX = FOLDER / "openedx"
# Bodies that several answers have, by name: `like: NAME` stands for one, with what differs under `but`.
BODIES: Mapping[str, Any] = yaml.safe_load((FOLDER / "bodies.yml").read_text(encoding="utf-8"))
# How a request's body is sent, by the key that it stands under.
KINDS = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "merge": "application/merge-patch+json",
}
KEYS = {"name", "as", "ask", "keep", "headers", "status", "answer", "answer-headers", "forum", *KINDS}


@dataclass(frozen=True, kw_only=True)
class Record:
    """One request, by whom, and its answer in the normal form of `answers.normal`.

    Part of an answer is what the lms asked the forum for it. `keep` is what later requests need of the answer: a name, and where in the answer its value stands.
    """

    name: str
    file: str
    who: str
    method: str
    path: str
    kind: str
    told: Mapping[str, Any] | None
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)


def whole(told: Any) -> Any:
    """A part of an answer with all that it has only by `like`."""
    if isinstance(told, list):
        return [whole(each) for each in told]
    if not isinstance(told, Mapping):
        return told
    if "like" in told:
        return whole({**BODIES[told["like"]], **told.get("but", {})})
    return {key: whole(each) for key, each in told.items()}


def read(file: Path) -> list[Record]:
    """The records of a file, in the order in which they were asked. Raises ValueError for a key that is not known."""
    return [_record(each, file.name) for each in yaml.safe_load(file.read_text(encoding="utf-8"))["records"]]


def records() -> list[Record]:
    """All of them; the files in the order of their names."""
    return [each for file in sorted(OPENEDX.glob("*.yml")) for each in read(file)]


def _record(told: Mapping[str, Any], file: str) -> Record:
    if odd := set(told) - KEYS:
        raise ValueError(f"{file}: {told.get('name')}: unknown: {', '.join(sorted(odd))}")
    method, path = told["ask"].split(" ", 1)
    kind = next((each for each in KINDS if each in told), "")
    return Record(
        name=told["name"],
        file=file,
        who=told.get("as", "nobody"),
        method=method,
        path=path,
        kind=kind,
        told=told.get(kind),
        headers=told.get("headers", {}),
        keep=told.get("keep", {}),
        answer={
            "status": told.get("status"),
            "headers": told.get("answer-headers", {}),
            "body": whole(told.get("answer")),
            "forum": told.get("forum", []),
        },
    )
