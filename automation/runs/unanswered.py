"""What an engine was asked to make without an answer: it may make it later, and no state will know. Kept until that is settled."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toolchain import files

# Beside our lock of the stack, read and written by whoever holds that.
FILE = "unanswered.json"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What an engine was asked to make: type, name and labels; `before` are the ids that it had by then, which are not of this."""

    type: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()

    def is_of(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels can be what was made of it: another state's has others (`portal.owner`)."""
        return all(labels.get(name) == value for name, value in self.labels.items())


def request(type_: str, inputs: Mapping[str, Any]) -> Request | None:
    """The request of a resource, by its inputs; None where they name nothing."""
    name = inputs.get("name")
    if not isinstance(name, str):
        return None
    listed = inputs.get("labels")
    labels = {
        str(each["label"]): str(each["value"])
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping) and "label" in each and "value" in each
    }
    return Request(type=type_, name=name, labels=labels)


def read(folder: Path) -> tuple[Request, ...]:
    """What was written; nothing where there is no file, or none that is whole."""
    try:
        return tuple(
            Request(
                type=str(each["type"]),
                name=str(each["name"]),
                labels=dict(each["labels"]),
                before=tuple(each["before"]),
            )
            for each in json.loads((folder / FILE).read_bytes())
        )
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def write(folder: Path, requests: Iterable[Request]) -> None:
    """Write these in place of what there was; no file for none."""
    listed = [asdict(each) for each in requests]
    if listed:
        files.write(folder / FILE, json.dumps(listed, indent=1), mode=0o600)
    else:
        (folder / FILE).unlink(missing_ok=True)
