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
    fields: Mapping[str, Any] | None
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)


def whole(body: Any) -> Any:
    """A part of an answer with all that it has only by `like`."""
    if isinstance(body, list):
        return [whole(each) for each in body]
    if not isinstance(body, Mapping):
        return body
    if "like" in body:
        return whole({**BODIES[body["like"]], **body.get("but", {})})
    return {key: whole(each) for key, each in body.items()}


def read(file: Path) -> list[Record]:
    """The records of a file, in the order in which they were asked. Raises ValueError for a key that is not known."""
    return [_record(each, file.name) for each in yaml.safe_load(file.read_text(encoding="utf-8"))["records"]]


def records() -> list[Record]:
    """All of them; the files in the order of their names."""
    return [each for file in sorted(OPENEDX.glob("*.yml")) for each in read(file)]


def _record(fields: Mapping[str, Any], file: str) -> Record:
    if odd := set(fields) - KEYS:
        raise ValueError(f"{file}: {fields.get('name')}: unknown: {', '.join(sorted(odd))}")
    method, path = fields["ask"].split(" ", 1)
    kind = next((each for each in KINDS if each in fields), "")
    return Record(
        name=fields["name"],
        file=file,
        who=fields.get("as", "nobody"),
        method=method,
        path=path,
        kind=kind,
        fields=fields.get(kind),
        headers=fields.get("headers", {}),
        keep=fields.get("keep", {}),
        answer={
            "status": fields.get("status"),
            "headers": fields.get("answer-headers", {}),
            "body": whole(fields.get("answer")),
            "forum": fields.get("forum", []),
        },
    )
