"""A change's properties as what may be shown of them: no secret, nothing that a page or a terminal would obey."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automation.review.markdown import cut as word
from automation.runs.plan import MISSING, SECRET, Change, parts, value_at
from automation.runs.unknown import UNKNOWN

# Pulumi marks what it knows to be secret. These are so whatever it says.
_SECRET_FILE = "/run/secrets/"  # noqa: S105 (where they lie)
_SECRET_KEYS = frozenset({"result", "bcryptHash", "plaintext", "password", "registryAuth"})
_LATER = "(known once it is made)"
# By these the entries of a list are told apart, whatever their place in it.
_IDENTITIES = ("label", "file", "containerPath", "target", "name")


@dataclass(frozen=True, kw_only=True)
class RedactedDifference:
    """One value that differs. None where there is none; SECRET, or what stands for a value that is not known yet."""

    path: str
    before: Any
    after: Any


def redacted_differences(change: Change) -> Iterator[RedactedDifference]:
    """All that differs in a change, down to the single value, in the order of its properties; secrets hidden."""
    lines: dict[str, None] = dict.fromkeys(
        str(parts(each.path)[0]) for each in change.differences if each.path
    )
    for name in lines:
        before, after = (_redact(value_at(side, name), name) for side in (change.before, change.after))
        differences = list(_leaves(name, before, after))
        if not differences:
            # What a refresh has found, or two values of which only the difference may be known.
            differences = [
                RedactedDifference(
                    path=each.path, before=_redact(each.before, name), after=_redact(each.after, name)
                )
                for each in change.differences
                if parts(each.path)[:1] == (name,)
            ]
        yield from differences


def _leaves(path: str, before: Any, after: Any) -> Iterator[RedactedDifference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _leaves(f"{path}.{key}", before.get(key, MISSING), after.get(key, MISSING))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _entries(path, before, after)
    else:
        yield RedactedDifference(path=path, before=_there(before), after=_there(after))


def _entries(path: str, before: list[Any], after: list[Any]) -> Iterator[RedactedDifference]:
    old, new = _by_identity(before), _by_identity(after)
    if old is not None and new is not None:
        for key in sorted({*old, *new}):
            yield from _leaves(f"{path}[{key}]", old.get(key, MISSING), new.get(key, MISSING))
        return
    # By their text: one entry more must not make all that follow it look new.
    old_words, new_words = (
        [json.dumps(each, sort_keys=True, default=str) for each in side] for side in (before, after)
    )
    matcher = difflib.SequenceMatcher(None, old_words, new_words, autojunk=False)
    for tag, first, last, begin, end in matcher.get_opcodes():
        if tag == "equal":
            continue
        pairs = max(last - first, end - begin)
        for place in range(pairs):
            yield RedactedDifference(
                path=path,
                before=before[first + place] if first + place < last else None,
                after=after[begin + place] if begin + place < end else None,
            )


def _by_identity(entries: list[Any]) -> dict[str, Any] | None:
    """A list's entries by what tells them apart; None when nothing does."""
    for key in _IDENTITIES:
        names = [each.get(key) if isinstance(each, Mapping) else None for each in entries]
        if all(isinstance(each, str) for each in names) and len(set(names)) == len(names):
            return {
                str(name): {k: v for k, v in each.items() if k != key}
                for name, each in zip(names, entries, strict=True)
            }
    return None


def lines(shown: RedactedDifference, limit: int) -> Iterator[str]:
    """One value as lines of a diff, shortened to `limit` characters or, with many lines, as many lines as that is."""
    path, before, after = word(shown.path, limit), shown.before, shown.after
    if before == after:
        # Two secrets, or two things that are known later: that they differ is all that is to be said.
        yield f"~   {path}: {short(after, limit)}"
    elif isinstance(before, str) and isinstance(after, str) and ("\n" in before or "\n" in after):
        yield f"~   {path}:"
        yield from _texts(before, after, limit)
    else:
        if before is not None:
            yield f"-   {path}: {short(before, limit)}"
        if after is not None:
            yield f"+   {path}: {short(after, limit)}"


def _texts(before: str, after: str, limit: int) -> Iterator[str]:
    texts = [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    # A line of some twenty characters is worth as much as any other value.
    most = max(1, limit // 20)
    for line in texts[:most]:
        yield f"{line[0]}     {word(line[1:].expandtabs(2), limit)}".rstrip()
    if len(texts) > most:
        yield f"~     … {len(texts) - most} more lines differ"
    if not texts:
        yield "~     its line endings"


def short(value: Any, limit: int) -> str:
    """A value on one line, at most about `limit` characters; what was left out is said."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        return word(value, limit) if value else '""'
    return word(json.dumps(value, sort_keys=True, ensure_ascii=False, default=str), limit)


def _there(value: Any) -> Any:
    return None if value is MISSING else value


def _redact(value: Any, name: str = "") -> Any:
    if value is None or value is MISSING:
        return value
    if name in _SECRET_KEYS:
        return SECRET
    if isinstance(value, str):
        return _LATER if value in UNKNOWN else value
    if isinstance(value, list):
        return [_redact(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    secret = str(value.get("file", "")).startswith(_SECRET_FILE)
    return {
        key: SECRET if secret and key.startswith("content") else _redact(each, key)
        for key, each in value.items()
    }
