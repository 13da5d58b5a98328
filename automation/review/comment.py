"""Many reviews as one Markdown comment: the same text for the same plans, and never longer than a comment may be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from automation.review.change_rules import Downtime
from automation.review.markdown import code
from automation.review.markdown import cut as word
from automation.review.redaction import lines, redacted_differences
from automation.review.tenant_review import DATA_LOSS, Review, at_risk, most_severe_first, not_known
from automation.review.verdict import JudgedChange
from automation.runs.plan import Change
from config.portal.resource_types import CONTAINER, DOCKER_PROVIDER, NETWORK, PASSWORD, VOLUME

# GitHub takes no longer body. Counted in bytes, which are never fewer than characters however those are counted.
LIMIT = 65_536
# By this the one comment of a pull request is found again.
MARKER = "<!-- portals: preview -->"
_ROWS_BYTES = 24_000
_WHY_BYTES = 6_000
_NAMES_BYTES = 4_000
_OBSTACLES_BYTES = 6_000
_NOTES_BYTES = 3_000
# What is kept for the last words.
_END_BYTES = 1_500
_REASONS = 3
# No fold is shorter.
_LEAST_BYTES = 100
_SIGNS = {"create": "+", "import": "+", "delete": "-"}
_KINDS = {
    CONTAINER: "container",
    NETWORK: "network",
    VOLUME: "volume",
    PASSWORD: "password",
    DOCKER_PROVIDER: "engine",
}
_WORDS = {"delete": "remove"}
_REMOVED = (
    "# Its file is removed. That alone changes nothing: the portal stays up until it is destroyed.",
    "# This is what `./portal destroy` removes. Its data stays on the drive, its passwords do not.",
)


@dataclass(frozen=True, kw_only=True)
class Detail:
    """How much is told of a portal's changes: characters a value (0: no properties), and how many changes."""

    name: str
    characters: int
    changes: int


DETAILS = (
    Detail(name="whole", characters=400, changes=1_000),
    Detail(name="short", characters=60, changes=1_000),
    Detail(name="names", characters=0, changes=1_000),
    Detail(name="few", characters=0, changes=10),
)


def render(
    reviews: Iterable[Review],
    *,
    notes: Sequence[str] = (),
    refreshed: bool = False,
    allowed: Iterable[str] = (),
    limit: int = LIMIT,
) -> str:
    """The comment. `notes` tell what was left alone and why; `allowed` are the words that allow what is refused else."""
    ordered = most_severe_first(reviews)
    loud = [each for each in ordered if not each.quiet]
    quiet = [each for each in ordered if each.quiet]
    head = [MARKER, f"### {_title(loud)}", ""]
    if loud:
        head += [*_table(loud), ""]
    if quiet:
        head += [f"No resource would change in {_names(quiet)}.", ""]
    head += [f"{each}\n" for each in _words(ordered, refreshed, DATA_LOSS in set(allowed))]
    tail = _why(ordered, notes)
    room = limit - _size(head) - _size(tail) - _END_BYTES
    blocks, without = _blocks(loud, room)
    return "\n".join([*head, *blocks, *_end(without), *tail]).rstrip() + "\n"


def _title(loud: Sequence[Review]) -> str:
    failed = sum(each.failed for each in loud)
    changed = len(loud) - failed
    if not loud:
        return "Preview: no portal would change"
    parts = [f"{changed} portal{'s' if changed != 1 else ''} would change"] if changed else []
    if failed:
        parts.append(f"the preview of {failed} failed")
    risk = len(at_risk(loud))
    if risk:
        parts.append(f"data at risk in {risk}")
    return f"Preview: {', '.join(parts)}"


def _table(loud: Sequence[Review]) -> list[str]:
    header = [
        "| portal | created | updated | replaced | deleted | downtime | risk to data |",
        "|---|--:|--:|--:|--:|---|---|",
    ]
    rows = [_row(each) for each in loud]
    shown = _fitting(rows, _ROWS_BYTES)
    left = loud[shown:]
    if left:
        counts = [sum(each.verdict.count(*ops) for each in left) for ops in _OPS]
        worst = [max(each.verdict.downtime for each in left), max(each.verdict.data for each in left)]
        cells = [f"{len(left)} more", *map(str, counts), f"at worst: {worst[0]}", f"at worst: {worst[1]}"]
        rows = [*rows[:shown], _cells(cells)]
    return [*header, *rows]


_OPS = (("create", "import"), ("update",), ("replace",), ("delete",))


def _row(review: Review) -> str:
    name = code(review.tenant) + (" (file removed)" if review.removed else "")
    if review.failed:
        return _cells([name, "?", "?", "?", "?", "the preview failed", "not known"])
    verdict = review.verdict
    counts = [str(verdict.count(*ops)) for ops in _OPS]
    data = f"**{verdict.data}**" if review.tenant in at_risk([review]) else str(verdict.data)
    return _cells([name, *counts, _downtime(review), data])


def _downtime(review: Review) -> str:
    away = review.verdict.interrupted
    worst = review.verdict.downtime
    if worst is Downtime.SERVICE and len(away) > 1:
        return f"{len(away)} services for seconds each"
    if worst in (Downtime.SERVICE, Downtime.STORE):
        names = [
            each.change.name
            for each in review.verdict.judged
            if each.downtime is worst and each.change.type == CONTAINER
        ]
        return f"{worst}: {code(', '.join(names[:3]))}{' …' if len(names) > 3 else ''}"
    return str(worst)


def _words(reviews: Sequence[Review], refreshed: bool, allowed: bool) -> list[str]:
    paragraphs = []
    if any(not each.failed for each in reviews):
        paragraphs.append(
            "Compared with what the engines really have (--refresh)."
            if refreshed
            else "Compared with the state only: changes made by hand on an engine are not in it."
        )
    paragraphs += _possible(reviews)
    paragraphs += _plan_notes(reviews)
    unsure = [each for each in reviews if each.tenant in not_known([each])]
    if unsure:
        paragraphs.append(
            f"Whether data of {_names(unsure)} is at risk is **not known**: its engine could not be asked."
        )
    risky = [each for each in reviews if each.tenant in at_risk([each])]
    if risky:
        held = f"**Blocked**: data of {_names(risky)} is at risk"
        paragraphs.append(
            f"Data of {_names(risky)} is at risk; `{DATA_LOSS}` accepts this."
            if allowed
            else f"{held}. To accept it, set the label or pass the option value `{DATA_LOSS}`."
        )
    return paragraphs


def _possible(reviews: Sequence[Review]) -> list[str]:
    """What engines would refuse, and which could not be asked."""
    lines = [
        f"- {code(each.tenant)}: {code(str(one))}" for each in reviews for one in each.obstacles[:_REASONS]
    ]
    paragraphs = []
    if lines:
        shown = _fitting(lines, _OBSTACLES_BYTES)
        more = (
            [f"- … {_many(len(lines) - shown, 'more line')}: `./portal preview`"]
            if shown < len(lines)
            else []
        )
        paragraphs.append(
            "\n".join(["**`up` would be refused**, before anything is stopped:", "", *lines[:shown], *more])
        )
    unchecked = [each for each in reviews if each.unchecked]
    if unchecked:
        paragraphs.append(
            "Capacity of the engine (ports, subnets, names, images, memory) not checked for "
            f"{_names(unchecked)}: {code(unchecked[0].unchecked)}. `up` checks it before it stops "
            "anything."
        )
    return paragraphs


def _plan_notes(reviews: Sequence[Review]) -> list[str]:
    """What is worth knowing and stands in nobody's way, such as a quota that `up` sets: each text once, with its portals."""
    portals: dict[str, list[Review]] = {}
    for each in reviews:
        for note in each.plan.notes if each.plan else ():
            portals.setdefault(note, []).append(each)
    lines = [f"- {code(note)}: {_names(of, _NOTES_BYTES // 4)}" for note, of in portals.items()]
    if not lines:
        return []
    shown = _fitting(lines, _NOTES_BYTES)
    more = [f"- … {_many(len(lines) - shown, 'more line')}: `./portal preview`"] if shown < len(lines) else []
    return ["\n".join(["**Worth knowing:**", "", *lines[:shown], *more])]


def _blocks(loud: Sequence[Review], room: int) -> tuple[list[str], list[Review]]:
    """The folds that fit, the worst getting the most, and the portals for which there is none."""
    blocks: list[str] = []
    without: list[Review] = []
    for review in loud:
        for detail in DETAILS if room > _LEAST_BYTES else ():
            block = _block(review, detail)
            if _size(block) <= room:
                blocks += block
                room -= _size(block)
                break
        else:
            without.append(review)
    return blocks, without


def _block(review: Review, detail: Detail) -> list[str]:
    inside = _failure(review, detail) if review.failed else _changes(review, detail)
    # No line of it can end the fence: each begins with a sign of ours.
    return [
        f"<details><summary>{code(review.tenant)}: {_summary(review)}</summary>",
        "",
        "```diff",
        *inside,
        "```",
        "",
        "</details>",
        "",
    ]


def _summary(review: Review) -> str:
    if review.failed:
        return "the preview failed"
    verdict = review.verdict
    return f"{_many(len(verdict.judged), 'change')}, downtime {verdict.downtime}, risk to data {verdict.data}"


def _failure(review: Review, detail: Detail) -> list[str]:
    reasons = [line for line in review.failure.splitlines() if line.strip()] or ["it gave no reason"]
    most = max(detail.changes // 25, 8)
    shown = [f"! {word(line, detail.characters or 200)}" for line in reasons[:most]]
    if len(reasons) > most:
        shown.append(
            f"# … {_many(len(reasons) - most, 'more line')}: ./portal preview {word(review.tenant, 60)}"
        )
    return shown


def _changes(review: Review, detail: Detail) -> list[str]:
    judged = review.verdict.judged
    shown = list(_REMOVED) if review.removed else []
    first_names: dict[str, str] = {}
    for each in judged[: detail.changes]:
        shown += _change(each, detail.characters)
        if detail.characters and each.change.op in ("update", "replace"):
            shown += _differences(each.change, detail.characters, first_names)
    left = len(judged) - detail.changes
    if left > 0:
        shown.append(f"# … {_many(left, 'more change')}: ./portal preview {word(review.tenant, 60)} --json")
    return shown


def _change(one: JudgedChange, characters: int) -> list[str]:
    change = one.change
    kind = _KINDS.get(change.type, change.type)
    sign = _SIGNS.get(change.op, "!")
    risks = [f"downtime {one.downtime}"] if one.downtime else []
    risks += [f"data {one.data}"] if one.data else []
    lines = [
        f"{sign} {_WORDS.get(change.op, change.op)} {word(kind, 100)} {word(change.name, 100)}"
        + (f": {', '.join(risks)}" if risks else "")
    ]
    if not characters:
        count = len(change.differences)
        return [lines[0] + (f" ({_many(count, 'property', 'properties')})" if count else "")]
    lines += [f"#   {word(each.reason, 2 * characters)}" for each in one.findings]
    return lines


def _differences(change: Change, characters: int, first_names: dict[str, str]) -> list[str]:
    """What differs, or the name of the one above that differs in the same: one file is many containers'."""
    differing = list(redacted_differences(change))
    shown_lines = [line for each in differing for line in lines(each, characters)]
    # Whole values: two that look the same when they are shortened may differ.
    first = first_names.setdefault(repr(differing), change.name)
    if first == change.name or len(shown_lines) <= 2:
        return shown_lines
    return [f"~   the same differences as {word(first, 100)}"]


def _end(without: Sequence[Review]) -> list[str]:
    if not without:
        return []
    return [
        f"This comment has no room for the details of {_many(len(without), 'portal')}: "
        f"{_names(without, _END_BYTES // 2)}. `./portal preview TENANT... --markdown` shows them, "
        "`--json` shows all.",
        "",
    ]


def _why(reviews: Sequence[Review], notes: Sequence[str]) -> list[str]:
    lines = [f"- {code(each.tenant)}: {_reasons(each.why)}" for each in reviews if each.why]
    lines += [f"- {code(each)}" for each in notes]
    if not lines:
        return []
    shown = _fitting(lines, _WHY_BYTES)
    if shown < len(lines):
        lines = [*lines[:shown], f"- … {_many(len(lines) - shown, 'more line')}: `./portal changed REF`"]
    return ["<details><summary>Why these portals</summary>", "", *lines, "", "</details>"]


def _reasons(why: Sequence[str]) -> str:
    more = f" and {len(why) - _REASONS} more" if len(why) > _REASONS else ""
    return "; ".join(map(code, why[:_REASONS])) + more


def _names(reviews: Sequence[Review], size: int = _NAMES_BYTES) -> str:
    named = [code(each.tenant) for each in reviews]
    shown = _fitting(named, size)
    return ", ".join(named[:shown]) + (f" and {len(named) - shown} more" if shown < len(named) else "")


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def _fitting(texts: Sequence[str], size: int) -> int:
    """How many of the first texts take no more than `size` bytes together."""
    total = 0
    for number, each in enumerate(texts):
        total += len(each.encode()) + 2
        if total > size:
            return number
    return len(texts)


def _size(lines: Sequence[str]) -> int:
    return sum(len(each.encode()) + 1 for each in lines)


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
