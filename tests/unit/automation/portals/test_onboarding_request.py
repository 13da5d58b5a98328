"""What somebody asks for as a tenant file: what is found, what is kept, what is refused."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import typer
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from automation import cli
from automation.portals.onboarding_request import (
    OnboardingRequest,
    conflicts,
    current,
    free_port,
    free_subnet,
    options,
    text,
)
from config.reading import plaintext, yamlfile
from config.reading.errors import ConfigError, Findings
from config.reading.nodes import Scalar
from config.tenant.fleet import Fleet
from config.tenant.tenant import Tenant, load_all
from config.values import checks
from docs.examples import onboard, sales_endpoint
from preflight.procfs import ListenAddress
from tests.programs import ROOT


def accepted(title: str) -> bool:
    """Whether a tenant may be called so, and a file of a person's may hold it."""
    try:
        return checks.title(title) == title and not any(map(plaintext.why_forbidden, title))
    except ValueError:
        return False


OAK = OnboardingRequest(name="oak", lms="learn.oak.example")
FLEET = Fleet(pool=IPv4Network("10.77.0.0/22"))


def tenants(folder: Path, *wished: OnboardingRequest) -> dict[str, Tenant]:
    for number, each in enumerate(wished):
        made = text(each.values(each.subnet or f"10.77.{number}.0/24", each.port or 8080 + number))
        (folder / f"{each.name}.yaml").write_text(made)
    return load_all(folder)


def test_a_wish_becomes_a_file_that_says_no_more_than_it_must(tmp_path: Path) -> None:
    made = text(OAK.values("10.77.2.0/24", 8082))
    assert yaml.safe_load(made) == {
        "title": "Oak",
        "hosts": {"lms": "learn.oak.example", "cms": "studio.learn.oak.example"},
        "listen": {"port": 8082},
        "placement": {"subnet": "10.77.2.0/24"},
        "admin": {"email": "admin@learn.oak.example"},
    }
    assert made.startswith("# yaml-language-server: $schema=../config/tenant.schema.json\n")


def test_every_word_of_a_wish_reaches_the_tenant(tmp_path: Path) -> None:
    request = OnboardingRequest(
        name="oak", lms="learn.oak.example", cms="write.oak.example", title="Oak: “the” school", email="a@oak.example",
        release="redwood", images="packages", mail="sink", mail_host="post.oak.example", address="127.0.0.2",
        port=8099, subnet="10.77.9.0/24", docker_host="ssh://ops@docker1.example", root="/mnt/drive",
    )  # fmt: skip
    tenant = tenants(tmp_path, request)["oak"]
    assert conflicts(request, tenant) == []
    assert request.chosen().keys() == {each.key for each in options().values()}
    assert {key: current(tenant, key) for key in request.chosen()} == request.chosen()


def test_the_fields_of_a_request_are_all_that_there_is_to_an_option() -> None:
    """A new field is an option, a column and a key at once; what is named elsewhere is one of them."""
    made = typer.main.get_command(cli.app).commands["new"]  # type: ignore[attr-defined]
    typed = {each.name for each in made.params} - {"tenant", "dry_run", "as_json"}
    assert typed == set(options())
    assert {each.name for each in fields(OnboardingRequest)} == {"name", *options()}
    assert set(onboard.COLUMNS) == {"name", *options()} - {"port"}
    assert set(sales_endpoint.MAY_SAY) - set(options()) == set()
    known = {key for key, _ in every_key(Tenant)}
    assert {each.key for each in options().values()} - known == set()


@pytest.mark.parametrize("name", ["address", "root", "mail"])
def test_help_tells_the_default_that_the_manual_has(name: str) -> None:
    """config/reference.yml, which other tests hold to the program's own defaults."""
    manual = yaml.safe_load((ROOT / "config" / "reference.yml").read_text(encoding="utf-8"))
    option = options()[name]
    for part in option.key.split("/"):
        manual = manual[part]
    assert option.help.endswith(f" Default: {manual}.")


@pytest.mark.parametrize("name", ["release", "images"])
def test_help_ends_with_what_a_file_has_that_names_none(name: str) -> None:
    """Where the real Open edX cannot be had nothing is written (automation/portals/image_choice.py)."""
    manual = yaml.safe_load((ROOT / "config" / "reference.yml").read_text(encoding="utf-8"))
    assert options()[name].help.endswith(f"; otherwise {manual[name]}.")


def every_key(kind: type[Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The keys of a tenant file, sections with theirs."""
    for name, each in get_type_hints(kind).items():
        if isinstance(each, type) and is_dataclass(each):
            yield from every_key(each, f"{above}{name}/")
        yield f"{above}{name}", each


@pytest.mark.parametrize("name", list(options()))
def test_an_option_alone_becomes_its_key(name: str) -> None:
    """In the file that is written, whatever the others are."""
    fields: dict[str, Any] = {name: 8099 if name == "port" else "x"}
    section, _, key = options()[name].key.rpartition("/")
    made = replace(OAK, **fields).values("x" if name == "subnet" else "10.77.9.0/24", 8099)
    assert (made[section] if section else made)[key] == fields[name]


# All that the check of a title takes, and the YAML reader of the file does not take for hidden or reordering.
TITLES = (
    st.text(
        st.characters(categories=["L", "M", "N", "P", "S", "Zs"])
        | st.sampled_from("'\"\\#%$&*!|>:{}[]-?@`\u200c"),
        min_size=1,
        max_size=80,
    )
    .map(str.strip)
    .filter(accepted)
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(TITLES)
@example("Akademie \U0001f393")
@example("أكاديمية")
@example("שלום 'x'")
@example("a\u0301: # %TAG $HOME {{ x }} \\")
@example("off")
@example("1e3")
@example("2024-01-31")
@example("=")
@example("- a")
def test_a_title_of_any_script_is_read_as_it_was_written(title: str) -> None:
    findings = Findings("tenants/oak.yaml")
    root = yamlfile.parse(text(replace(OAK, title=title).values("10.77.2.0/24", 8082)).encode(), findings)
    assert root is not None, findings.lines()
    title_node = root.items["title"]
    assert isinstance(title_node, Scalar)
    assert (title_node.kind, title_node.text, findings.lines()) == ("text", title, ())


def test_what_is_there_otherwise_is_told_with_the_remedy(tmp_path: Path) -> None:
    tenant = tenants(tmp_path, OAK)["oak"]
    (conflict,) = conflicts(replace(OAK, title="Elm"), tenant)
    assert conflict.startswith("tenants/oak.yaml: title: is 'Oak', but you passed 'Elm'")
    assert "./portal up oak" in conflict
    assert conflicts(OAK, tenant) == []


def test_the_first_subnet_that_nobody_has(tmp_path: Path) -> None:
    known = tenants(tmp_path, OAK).values()
    assert free_subnet(FLEET, known, []) == IPv4Network("10.77.1.0/24")
    assert free_subnet(FLEET, known, [IPv4Network("10.77.1.128/26")]) == IPv4Network("10.77.2.0/24")
    with pytest.raises(ConfigError, match="has no free /24"):
        free_subnet(FLEET, known, [IPv4Network("10.0.0.0/8")])


def test_the_first_port_that_nobody_has(tmp_path: Path) -> None:
    known = tenants(tmp_path, OAK).values()
    there = [ListenAddress(address="127.0.0.1", port=8081), ListenAddress(address="0.0.0.0", port=8082)]
    assert free_port(known, "", "") == 8081
    assert free_port(known, "", "", there) == 8083
    assert free_port(known, "", "127.0.0.2", there) == 8081
    # Another machine's ports are its own.
    assert free_port(known, "ssh://ops@docker1.example", "", there[:1]) == 8080
