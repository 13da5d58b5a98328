"""config/tenant.schema.json: what an editor says of a tenant file is what the program would say."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
import yaml
from hypothesis import given

from config.releases.release import Releases
from config.schema import manual, schema, shapes
from config.tenant.tenant import names
from config.values import checks
from tests.programs import ROOT, TENANTS
from tests.unit.config import yaml12
from tests.unit.config.bad_files import DATA, Bad, tenants
from tests.unit.config.tenant.test_tenant_property import good, quick

RELEASES = Releases(ROOT / "config" / "releases").all()
Validate = Callable[[Any], Any]


@pytest.fixture(scope="module")
def validate() -> Validate:
    made: Validate = fastjsonschema.compile(schema.document(RELEASES), use_default=False)
    return made


def test_the_file_is_current() -> None:
    text = schema.text(RELEASES)
    if os.environ.get("UPDATE_PLANS"):
        schema.FILE.write_text(text)
    assert text == schema.FILE.read_text(), (
        "UPDATE_PLANS=1 ./portal test tests/unit/config/schema/test_schema.py"
    )


@pytest.mark.parametrize("name", names(TENANTS))
def test_every_tenant_names_it_and_keeps_it(name: str, validate: Validate) -> None:
    path = TENANTS / f"{name}.yaml"
    first = path.read_text().splitlines()[0]
    assert first == schema.LINE
    assert (path.parent / first.partition("$schema=")[2]).resolve() == schema.FILE
    validate(yaml12.load(path.read_bytes()))


@pytest.mark.parametrize(
    "path", [manual.FILE, DATA / "tenants" / "good.yaml", DATA / "tenants" / "neighbour.yaml"]
)
def test_good_files_keep_it(path: Path, validate: Validate) -> None:
    validate(yaml12.load(path.read_bytes()))


@quick
@given(tree=good)
def test_what_the_program_takes_no_editor_refuses(tree: dict[str, Any], validate: Validate) -> None:
    validate(tree)


@pytest.mark.parametrize("unit", ["MiB", "GiB"])
def test_the_smallest_quota_is_one_for_both(unit: str) -> None:
    """A pattern knows no numbers, so each is tried."""
    pattern = shapes.shape(checks.quota)["pattern"]
    texts = [f"{number}{unit}" for number in (*range(1, 11000), 10**8)]
    takes = [each for each in texts if checks.size(each) >= checks.SMALLEST_QUOTA]
    assert [each for each in texts if re.fullmatch(pattern, each)] == takes


def is_reported(bad: Bad, validate: Validate) -> bool:
    """Whether an editor marks the file: it is no YAML, or against the schema."""
    try:
        validate(yaml12.load(bad.data))
    except (yaml.YAMLError, UnicodeDecodeError, fastjsonschema.JsonSchemaValueException):
        return True
    return False


# What is said of files that an editor takes for good: a schema sees one file, as data.
BLIND = {
    "how the file is written": (
        "byte order mark",
        "which cannot be seen",
        "expected each value on one line",
        "an escape that is not a character",
        "has a directive",
        "appears twice",
        "the anchor",
        "the tag",
    ),
    "values that version 1.1 of YAML, which the program reads, takes for another kind": (
        "expected text (quote it: ",
        "expected a whole number in plain digits",
        "found the text '0o17620'",
        "found the text '8e3'",
        "true, false, null or a number in plain digits",
    ),
    "the file's name, and the characters of a title": (": name: ", "has no character that can be seen"),
    "other files: tenants, the fleet's pool, digests": (
        "of tenant 'neighbour'",
        "the fleet's pool",
        "has no digest for",
    ),
    "two values of one file together": (
        "expected a host of its own",
        "expected one group",
        "leaves no queue for",
    ),
    "the size of a number in a text, and what punycode holds": (
        "has no valid port",
        "is not a server with its port",
        "is too little for",
        "is more than 64GiB",
        "is more than 1024GiB",
        "which is for punycode",
    ),
}


def test_an_editor_marks_every_bad_file_that_a_schema_can_see(validate: Validate) -> None:
    table = tenants()
    unseen = [each for each in table if not is_reported(each, validate)]
    used = {
        part: [each.title for each in unseen if part in each.findings[0]]
        for parts in BLIND.values()
        for part in parts
    }
    assert {each.title for each in unseen} - {title for titles in used.values() for title in titles} == set()
    assert [part for part, titles in used.items() if not titles] == []
    # 181 of 240 when this was written.
    assert len(unseen) < len(table) / 4
