"""config/reference.yml is schema, manual and test: it and the dataclasses say the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.reading.keys import Entry, Reading, entries
from config.reading.nodes import Section, join
from config.releases.release import Release
from config.schema.manual import FILE, comment, key_line, reference, written
from config.tenant.sections import WorkerGroup
from config.tenant.tenant import Size, Tenant

CONFIG = Path(__file__).parents[4] / "config"
REDWOOD = Release.load("redwood", CONFIG / "releases")


def described(cls: type[Any], path: str = "") -> Iterator[tuple[str, Entry]]:
    """Every key and section that the dataclasses describe, by path."""
    for name, entry in entries(cls).items():
        yield join(path, name), entry
        if entry.section:
            yield from described(entry.section, join(path, name))


def test_every_field_is_in_the_file_and_every_key_is_a_field() -> None:
    in_file = [path for path, _ in written(reference()) if not path.startswith("sizes/")]
    assert in_file == [path for path, _ in described(Tenant)]


def test_the_sizes_are_those_of_the_release() -> None:
    sizes = reference().items["sizes"]
    assert isinstance(sizes, Section)
    assert sizes.items.keys() == REDWOOD.services.keys() - REDWOOD.left_out("packages", ())
    for name, size in sizes.items.items():
        assert isinstance(size, Section)
        assert ("workers" in size.items) == (REDWOOD.services[name].workers > 0), name


def test_every_default_is_the_dataclass_s() -> None:
    reading = Reading("config/reference.yml")
    reading.keys(Tenant, reference())
    for path, entry in described(Tenant):
        if entry.key and not entry.required and entry.key.kind != "keys":
            assert reading.values[path] == entry.default, path


def test_what_is_required_says_so_and_nothing_else_does() -> None:
    nodes = dict(written(reference()))
    for path, entry in described(Tenant):
        assert ("Required." in comment(key_line(nodes[path]))) == entry.required, path


def test_every_key_is_explained_in_the_words_of_its_field() -> None:
    nodes = dict(written(reference()))
    size = ((f"sizes/lms/{name}", entry) for name, entry in entries(Size).items())
    for path, entry in (*described(Tenant), *size):
        doc = entry.key.doc if entry.key else (entry.section.__doc__ if entry.section else "")
        assert doc, path
        assert doc in comment(key_line(nodes[path])), path


def test_every_key_of_a_worker_group_is_explained_and_its_example_is_a_tenant_s(tmp_path: Path) -> None:
    node = reference().items["worker_groups"]
    explained = comment(key_line(node)).replace(" # ", " ")
    assert [
        entry.key.doc
        for entry in entries(WorkerGroup).values()
        if entry.key and entry.key.doc not in explained
    ] == []
    example = [line.removeprefix("# ") for line in FILE.read_text().splitlines() if line.startswith("#   ")]
    text = FILE.read_text().replace(
        "worker_groups: {}", "\n".join(line.removeprefix("  ") for line in example)
    )
    (tmp_path / "acme.yaml").write_text(text)
    assert Tenant.load("acme", tmp_path).worker_groups == {
        "lms-workers-heavy": WorkerGroup(queues=("high_mem",), memory=768, workers=1, grace_seconds=600)
    }


def test_every_example_is_a_value_that_the_key_may_have() -> None:
    for path, entry in described(Tenant):
        if entry.key and entry.key.kind != "keys":
            example = entry.key.example
            one = str(example).strip("[]") if entry.key.kind == "a list" else example
            assert entry.key.check(one) is not None, path


def test_it_is_the_tenant_that_says_only_what_is_required(tmp_path: Path) -> None:
    whole, short = tmp_path / "whole", tmp_path / "short"
    whole.mkdir()
    short.mkdir()
    (whole / "acme.yaml").write_text(FILE.read_text())
    nodes = dict(written(reference()))
    lines = FILE.read_text().splitlines()
    kept = [
        lines[key_line(nodes[path]) - 1]
        for path, entry in described(Tenant)
        if entry.required
        or (entry.section and any(each.required for each in entries(entry.section).values()))
    ]
    (short / "acme.yaml").write_text("\n".join(kept) + "\n")
    assert "sizes" not in "".join(kept)
    assert Tenant.load("acme", whole) == Tenant.load("acme", short)
