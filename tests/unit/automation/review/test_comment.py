"""The comment as a page: whole, bounded, the same for the same plans, and no obeying of what stands in values."""

import re
from dataclasses import replace
from html import unescape
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from automation.review.comment import LIMIT, MARKER, render
from automation.review.tenant_review import Review
from automation.runs.plan import SECRET, Change, Difference
from config.portal.resource_types import CONTAINER, DOCKER_PROVIDER, NETWORK, PASSWORD, VOLUME
from tests.unit.automation.review.samples import change, container, plan, volume

PAGE = MarkdownIt("gfm-like", {"linkify": False, "html": True})
HOSTILE = (
    "`", "```", "\n```\n", "|", "</details>", "</code>", "<script>alert(1)</script>", "@octocat", "#1", "\r\n", "\x00",
    "\u202e", "[a](http://evil.example)", "http://evil.example", "www.evil.example", "*b*", "_c_", "<!--", "-->", "&lt;",
    "~~~", "    ", "\t", "\ud800", "$x$", ":tada:", "![](http://evil.example/x.png)", MARKER,
)  # fmt: skip
OURS = re.compile(
    r"</?(details|summary|code)>|<!-- portals: preview -->|" + re.escape("\n"),
)
text = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12)), max_size=8).map("".join)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
    max_leaves=6,
)
inputs = st.dictionaries(
    st.sampled_from(("image", "labels", "volumes", "memory", "envs", "driverOpts", "name")) | text,
    values,
    max_size=4,
)
changes = st.builds(
    change,
    st.sampled_from(("create", "update", "replace", "delete", "import")),
    st.sampled_from((CONTAINER, NETWORK, VOLUME, PASSWORD, DOCKER_PROVIDER, "a:b:C")),
    text,
    inputs,
    inputs,
)
reviews = st.lists(
    st.one_of(
        st.builds(
            lambda name, some, why, removed, notes: Review(
                name,
                replace(plan(*some, tenant=name), notes=tuple(notes)),
                why=tuple(why),
                removed=removed,
            ),
            text,
            st.lists(changes, max_size=5),
            st.lists(text, max_size=4),
            st.booleans(),
            st.lists(text, max_size=3),
        ),
        st.builds(lambda name, failure: Review(name, failure=failure), text, text),
    ),
    max_size=6,
    unique_by=lambda each: each.tenant,
)


def shape(comment: str) -> tuple[int, int, int]:
    """Rows of the table, fenced blocks, and folds; nothing in it is more than text, tables, fences and our own HTML."""
    rows = fences = folds = 0
    inline = []
    for token in PAGE.parse(comment):
        if token.type == "html_block":
            assert not OURS.sub("", re.sub(r"(?<=<summary>).*(?=</summary>)", summary, token.content)), (
                token.content
            )
            folds += token.content.count("<details>")
            assert token.content.count("<summary>") == token.content.count("<details>")
        rows += token.type == "tr_open"
        if token.type == "fence":
            fences += 1
            assert all(line.startswith(tuple("!+-~#")) for line in token.content.splitlines()), token.content
        inline += token.children or []
    for token in inline:
        if token.type == "html_inline":
            assert OURS.fullmatch(token.content), token.content
        assert token.type not in ("link_open", "image"), token
    return rows - (rows > 0), fences, folds


def summary(match: re.Match[str]) -> str:
    """Nothing, where a fold's title is what it should be."""
    whole = re.fullmatch(r"(<code>[^<>`|]*</code>: [^<>`|@]*|Why these portals)", match[0])
    return "" if whole else match[0]


@settings(max_examples=60, deadline=None)
@given(reviews, st.lists(text, max_size=4), st.integers(0, 10**6))
def test_whatever_stands_in_plans(match: list[Review], notes: list[str], seed: int) -> None:
    comment = render(match, notes=notes)
    comment.encode()
    assert comment.startswith(MARKER)
    assert len(comment.encode()) <= LIMIT
    mixed = list(match)
    Random(seed).shuffle(mixed)
    assert render(mixed, notes=notes) == comment
    loud = [each for each in match if not each.quiet]
    rows, fences, folds = shape(comment)
    assert rows == len(loud)
    assert fences == len(loud)
    assert folds == fences + bool(notes or any(each.why for each in match))


def many(count: int, size: int) -> list[Review]:
    """So many tenants with as many containers replaced, each with a long value."""
    return [
        Review(
            f"tenant-{number}",
            plan(
                *(
                    change(
                        "replace",
                        CONTAINER,
                        f"service-{each}",
                        container(x="a" * 500),
                        container(x="b" * 500),
                    )
                    for each in range(size)
                ),
                tenant=f"tenant-{number}",
            ),
            why=("components/portal.py: what every portal is made of",),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(("count", "size"), [(1, 20), (1, 2000), (10, 20), (60, 27), (300, 27), (3000, 1)])
def test_never_too_long_and_nothing_is_dropped_in_silence(count: int, size: int) -> None:
    match = many(count, size)
    match.append(Review("broken", failure="line\n" * 5000))
    comment = render(match)
    assert len(comment.encode()) <= LIMIT
    rows, fences, _ = shape(comment)
    assert "<code>broken</code>" in comment
    assert "more lines: ./portal preview broken" in comment
    # Every tenant has a row or is counted in one.
    more = re.search(r"^\| (\d+) more \| 0 \| 0 \| (\d+) \|", comment, re.MULTILINE)
    shown = rows - bool(more)
    assert shown + (int(more[1]) if more else 0) == count + 1
    if more:
        assert int(more[2]) == (count + 1 - shown) * size
    # Every fold is there or is counted.
    without = re.search(r"details of ([\d,]+) portal", comment)
    assert fences + (int(without[1].replace(",", "")) if without else 0) == count + 1
    # Every change of a fold is there or is counted.
    folded = re.findall(r"<summary><code>tenant-\d+</code>.*?</details>", comment, re.DOTALL)
    for fold in folded:
        listed = len(re.findall(r"^! replace", fold, re.MULTILINE))
        left = re.search(r"^# … ([\d,]+) more change", fold, re.MULTILINE)
        assert listed + (int(left[1].replace(",", "")) if left else 0) == size
        # And every property: shown, or counted behind its change.
        in_full = fold.count("-   x: a") + fold.count("the same differences as")
        assert listed in (in_full, fold.count("(1 property)"))


def test_the_worst_gets_the_room() -> None:
    match = many(200, 27)
    match.append(Review("acme", plan(change("delete", VOLUME, "v", volume()))))
    comment = render(match)
    assert comment.index("<code>acme</code>") < comment.index("<code>tenant-")
    assert "/srv/portals/acme/mysql" in comment


def test_long_values_say_how_long_they_are() -> None:
    comment = render(many(1, 1))
    assert f"x: {'a' * 400}… (500 characters)" in comment


def hidden(before: object, after: object) -> Change:
    made = change("replace", CONTAINER, "lms", container(uploads=before), container(uploads=after))
    # Two secrets look the same, and still the engine says that they differ.
    differs = Difference(path="uploads", kind="update", replaces=True, before=before, after=after)
    return replace(made, differences=(differs,))


def test_no_secret_is_shown_whatever_the_engine_says() -> None:
    files = [
        [
            {"file": "/run/secrets/mysql-root-password", "content": word},
            {"file": "/portal/config/a", "content": f"{word[0]} is no secret\n"},
        ]
        for word in ("hunter2", "correct-horse")
    ]
    match = [
        Review(
            "acme",
            plan(
                hidden(*files),
                hidden(SECRET, SECRET),
                hidden(None, files[1]),
                change("replace", PASSWORD, "p", {"result": "hunter2"}, {"result": "correct-horse"}),
                change(
                    "update",
                    DOCKER_PROVIDER,
                    "p",
                    {"registryAuth": [{"password": "hunter2"}]},
                    {"registryAuth": "hunter2"},
                ),
            ),
        )
    ]
    comment = render(match)
    assert "hunter2" not in comment + str(match[0].facts())
    assert "correct-horse" not in comment + str(match[0].facts())
    assert "-     h is no secret" in comment
    assert "~   uploads: [secret]" in comment


def test_what_it_says_of_itself() -> None:
    one = [Review("acme", plan(change("delete", VOLUME, "v", volume())))]
    assert "with the state only" in render(one)
    assert "with the state only" not in render(one, refreshed=True)
    assert "**Blocked**" in render(one)
    assert "**Blocked**" not in render(one, allowed=["data-loss"])
    assert "no portal would change" in render([])
    assert "no portal would change" in render([Review("acme", plan())])
    assert "the preview failed" in render([Review("acme", failure="no engine")])
    assert "! no engine" in render([Review("acme", failure="no engine")])


def test_text_of_others_reads_as_it_was_written() -> None:
    comment = render([Review("a|b`c</details>@d", failure="x")])
    row = next(line for line in comment.splitlines() if line.startswith("| <code>"))
    assert unescape(row.split("</code>")[0].removeprefix("| <code>")) == "a|b`c</details>@d"


def test_a_change_of_the_quota_alone_is_said() -> None:
    held = "storage/quota: the file system will hold the portal to 20480 MiB, 10240 now"
    ended = "release: redwood has had no support since 2025-06-09"
    portals = [
        Review("acme", replace(plan(), notes=(held, ended))),
        Review("zenith", replace(plan(), notes=(ended,))),
        Review("quiet", plan()),
    ]
    shown = unescape(render(portals))
    assert "No resource would change in" in shown
    worth = shown.partition("**Worth knowing:**")[2].strip().splitlines()[:2]
    assert worth == [
        f"- <code>{held}</code>: <code>acme</code>",
        f"- <code>{ended}</code>: <code>acme</code>, <code>zenith</code>",
    ]
    assert "Worth knowing" not in render([Review("quiet", plan())])
