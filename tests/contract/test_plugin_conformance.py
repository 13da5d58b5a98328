"""Our plugins against what the official ones did, case by case, on a real engine.

data/*.json holds the recorded facts, trimmed to what must be matched: no ids, addresses, times, or what
an engine chooses by itself. `container.json` is the plainest container; each other case tells only how it
differs from that. BETTER lists where our plugins differ on purpose: see plugins/README.md.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from config.portal.resource_types import CONTAINER
from tests.contract.plugin_stack import IMAGE, Outcome, Stack, Step, ensure_image, missing

docker = pytest.importorskip("docker")

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(missing() != "", reason=missing() or "-")]

DATA = Path(__file__).parent / "data"
RECORDED = "/srv/conformance"
HOST = Path(tempfile.gettempdir()) / "conf-host"
"""Stands for the directory of the recording."""


ORDERED = {"Args", "Cmd", "Entrypoint", "Test", "command", "entrypoints", "tests"}
"""Lists whose order means something."""

REPLACED = ["delete-replaced", "replace", "create-replacement"]

BETTER = {
    # The official plugin sees no change; the engine's container would keep the value.
    "env-removed": Step("replace", ["envs"], {"envs": "delete-replace"}),
    "label-removed": Step("replace", ["labels"], {"labels": "delete-replace"}),
    # The official plugin says "updated" and the engine keeps the old value.
    "healthcheck": Step("replace", ["healthcheck"], {"healthcheck.interval": "update-replace"}),
    "init": Step("replace", ["init"], {"init": "update-replace"}),
    "tmpfs": Step("replace", ["tmpfs"], {'tmpfs["/tmp"]': "update-replace"}),
}


def load(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text().replace(RECORDED, str(HOST)))
    return data


CREATE, CHANGE, ERROR, RANDOM, PLAINEST = (
    load(name) for name in ("create", "change", "error", "random", "container")
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """The engine with what the cases lean on: images, networks, volumes, directories, a taken name and port."""
    client = docker.APIClient(version="auto")
    sweep(client)
    ensure_image(client)
    for tag in ("1", "2"):
        client.tag(IMAGE, "local/redis", tag)
    for index, name in enumerate(("conf-net", "conf-net2"), start=1):
        pool = docker.types.IPAMPool(subnet=f"10.91.{index}.0/24")
        client.create_network(name, ipam=docker.types.IPAMConfig(pool_configs=[pool]))
    client.create_volume("conf-vol")
    client.create_volume("conf-vol2")
    absent = {"type": "none", "o": "bind", "device": str(HOST / "absent")}
    client.create_volume("conf-vabsent", "local", absent)
    for each in ("host", "host2"):
        (HOST / each).mkdir(parents=True, exist_ok=True)
    for name, ports in (("conf-taken", {}), ("conf-port", {80: ("127.0.0.1", 18099)})):
        host = client.create_host_config(port_bindings=ports)
        client.create_container(IMAGE, ["sleep", "1000"], name=name, ports=list(ports), host_config=host)
        client.start(name)
    yield client
    sweep(client)
    for tag in ("1", "2"):
        client.remove_image(f"local/redis:{tag}", noprune=True)
    shutil.rmtree(HOST)
    client.close()


def sweep(client: Any) -> None:
    """Remove what a test that was killed may have left."""
    for each in client.containers(all=True):
        ours = each["Image"].startswith("local/redis:") or any(
            name.startswith("/conf-") for name in each["Names"] or []
        )
        if ours:
            client.remove_container(each["Id"], force=True, v=True)
    for each in client.networks(filters={"name": "conf-"}):
        if each["Name"].startswith("conf-"):
            client.remove_network(each["Id"])
    for each in client.volumes(filters={"name": "conf-"})["Volumes"] or []:
        if each["Name"].startswith("conf-"):
            client.remove_volume(each["Name"])


def inspect(client: Any, resource: Mapping[str, Any]) -> Any:
    look = {
        "container": client.inspect_container,
        "network": client.inspect_network,
        "volume": client.inspect_volume,
    }
    kind = resource["type"].split("/")[1].split(":")[0]
    return look[kind](resource["id"]) if kind in look else None


# --- comparing -------------------------------------------------------------------------------------


def merged(base: Any, changed: Any) -> Any:
    """Return `base` with a case's differences laid over it."""
    if isinstance(base, dict) and isinstance(changed, dict):
        both = {key: merged(base[key], changed[key]) if key in changed else base[key] for key in base}
        return {**changed, **both}
    return changed


def expected(case: Mapping[str, Any], part: str) -> Any:
    if case["type"] == CONTAINER:
        return merged(PLAINEST[part], case[part])
    return case[part]


def mismatches(wanted: Any, got: Any, path: str = "", key: str = "") -> list[str]:
    """Return every path where `got` is not as `wanted`; what `wanted` does not mention is free."""
    if wanted == "<absent>":
        return [] if not got else [f"{path}: expected nothing, got {got!r}"]
    if wanted in ("<chosen>", "<made>"):
        return [] if got else [f"{path}: expected something, got {got!r}"]
    if isinstance(wanted, dict) and isinstance(got, dict):
        return [
            line
            for name in wanted
            for line in mismatches(wanted[name], got.get(name), f"{path}.{name}", name)
        ]
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        if key not in ORDERED:
            wanted, got = sorted(wanted, key=order), sorted(got, key=order)
        return [
            line
            for index, pair in enumerate(zip(wanted, got, strict=True))
            for line in mismatches(*pair, f"{path}[{index}]")
        ]
    return [] if wanted == got else [f"{path}: expected {wanted!r}, got {got!r}"]


def order(data: Any) -> str:
    """Sort by what tells elements apart: a mapping by its values that are no placeholders."""
    if isinstance(data, dict):
        kept = {
            key: value
            for key, value in data.items()
            if key
            in (
                "Target",
                "Destination",
                "target",
                "file",
                "name",
                "containerPath",
                "internal",
                "label",
                "Subnet",
            )
        }
        return json.dumps(kept or data, sort_keys=True)
    return json.dumps(data)


def plain_state(case: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, Any]:
    state = dict(resource["outputs"])
    if "networkDatas" in state:
        state["networkDatas"] = [each["networkName"] for each in state["networkDatas"]]
    if state.get("containerLogs"):
        # Which of stdout and stderr the engine hands out first is chance.
        state["containerLogs"] = "".join(sorted(state["containerLogs"].splitlines(keepends=True)))
    return state


def plain_inspection(inspection: dict[str, Any]) -> dict[str, Any]:
    if "HostConfig" not in inspection:
        return inspection
    # What the image brings along is no case's business.
    inspection["Config"]["Env"] = [
        each for each in inspection["Config"]["Env"] or [] if not each.startswith(("PATH=", "LANG="))
    ]
    for each in inspection["NetworkSettings"]["Networks"].values():
        short = inspection["Id"][:12]
        each["Aliases"] = [alias for alias in each["Aliases"] or [] if alias != short] or None
        each["IPAMConfig"] = each["IPAMConfig"] or None
    return inspection


def messages_of(outcome: Outcome, name: str) -> str:
    return " | ".join(outcome.messages.get(name, []))


# --- create ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def created(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("created"))
    # Two cases of the recording ask for one name or one port: each under a name of its own here.
    stack.resources = {name: (case["type"], case["inputs"]) for name, case in CREATE.items()}
    stack.resources |= {
        f"random-{name}": (case["type"], case["inputs"]) for name, case in RANDOM["create"].items()
    }
    outcome = stack.up("--continue-on-error")
    assert not outcome.failed, outcome.output
    yield stack
    outcome = stack.destroy()
    assert not outcome.failed, outcome.output


def test_creates_leave_the_recorded_state(created: Stack) -> None:
    state = created.state()
    wrong = {
        name: mismatches(expected(case, "outputs"), plain_state(case, state[name]))
        for name, case in CREATE.items()
    }
    assert {name: lines for name, lines in wrong.items() if lines} == {}


def test_creates_are_inspected_as_recorded(created: Stack, engine: Any) -> None:
    state = created.state()
    wrong = {
        name: mismatches(expected(case, "inspect"), plain_inspection(inspect(engine, state[name])))
        for name, case in CREATE.items()
        if case["inspect"]
    }
    assert {name: lines for name, lines in wrong.items() if lines} == {}


def test_random_values_are_as_recorded_and_secret(created: Stack) -> None:
    state = created.state()
    for name, case in RANDOM["create"].items():
        outputs = state[f"random-{name}"]["outputs"]
        for key, recorded in case["outputs"].items():
            got = outputs[key]
            secret = isinstance(got, dict) and "ciphertext" in got
            assert secret == (recorded == "<secret>"), (name, key)
            assert secret or mismatches(recorded, got) == [], (name, key, got)


def test_nothing_changes_the_second_time(created: Stack) -> None:
    assert created.preview().changed() == {}
    assert created.preview("--refresh").changed() == {}
    outcome = created.up("--refresh")
    assert (outcome.failed, outcome.changed()) == (False, {})
    assert created.preview().changed() == {}


# --- change ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def changed(
    engine: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stack, dict[str, Any], Outcome, Outcome]]:
    stack = Stack(tmp_path_factory.mktemp("changed"))
    stack.resources = {name: (case["type"], case["before"]) for name, case in CHANGE.items()}
    assert not (outcome := stack.up()).failed, outcome.output
    before = stack.state()
    stack.resources = {name: (case["type"], case["after"]) for name, case in CHANGE.items()}
    previewed = stack.preview()
    updated = stack.up("--continue-on-error")
    yield stack, before, previewed, updated
    assert not (outcome := stack.destroy()).failed, outcome.output


Changed = tuple[Stack, dict[str, Any], Outcome, Outcome]


@pytest.mark.parametrize("name", CHANGE)
def test_changes_update_or_replace_as_recorded(changed: Changed, name: str) -> None:
    _, _, previewed, updated = changed
    case = CHANGE[name]
    better = BETTER.get(name)
    op = next(each for each in case["ops"] if each in ("replace", "update", "same"))
    expected_step = better or Step(op, case["diffs"], case["detailedDiff"])
    ops = REPLACED if better else case["ops"]
    for outcome in (previewed, updated):
        steps = outcome.steps[name]
        main = next(step for step in steps if step.op in ("replace", "update", "same"))
        assert main == expected_step
        if outcome is updated and not case["failed"]:
            assert [step.op for step in steps] == ops
    assert (name in updated.messages) == case["failed"], messages_of(updated, name)


def test_changes_are_inspected_as_recorded(changed: Changed, engine: Any) -> None:
    stack, before, _, _ = changed
    after = stack.state()
    wrong = {}
    for name, case in CHANGE.items():
        if name not in BETTER:
            assert (after[name]["id"] == before[name]["id"]) == case["sameId"], name
        if case["inspect"] and name not in BETTER:
            expected_difference = expected(case, "inspect")
            lines = mismatches(expected_difference, plain_inspection(inspect(engine, after[name])))
            wrong.update({name: lines} if lines else {})
    assert wrong == {}


def test_changes_the_official_plugin_only_claims_are_made(changed: Changed, engine: Any) -> None:
    stack = changed[0]
    inspections = {name: inspect(engine, stack.state()[name]) for name in BETTER}
    assert not [each for each in inspections["env-removed"]["Config"]["Env"] or [] if each.startswith("A=")]
    assert "a" not in inspections["label-removed"]["Config"]["Labels"]
    assert inspections["healthcheck"]["Config"]["Healthcheck"]["Interval"] == 7 * 10**9
    assert inspections["init"]["HostConfig"]["Init"] is True
    assert inspections["tmpfs"]["HostConfig"]["Tmpfs"] == {"/tmp": "size=32m"}


def test_a_failed_update_is_tried_again(changed: Changed) -> None:
    again = changed[0].preview().changed()
    assert again == {name: ["update"] for name, case in CHANGE.items() if case["failed"]}


# --- errors ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def refused(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("refused"))
    yield stack
    assert not (outcome := stack.destroy()).failed, outcome.output


def test_errors_of_the_preview_are_as_recorded(refused: Stack) -> None:
    for name, case in ERROR.items():
        if case["preview"] == "error":
            refused.resources = {name: (case["type"], case["inputs"])}
            outcome = refused.preview()
            assert outcome.failed
            assert case["says"] in messages_of(outcome, name), (name, outcome.messages)
    refused.resources = {
        name: (case["type"], case["inputs"]) for name, case in ERROR.items() if case["preview"] == "ok"
    }
    outcome = refused.preview()
    assert (outcome.failed, outcome.messages) == (False, {})


def test_errors_of_up_are_as_recorded_and_leave_the_same(refused: Stack, engine: Any) -> None:
    cases = {name: case for name, case in ERROR.items() if case["preview"] == "ok"}
    # The volume whose name is taken is another's: it must outlive this stack.
    refused.resources = {
        name: (case["type"], case["inputs"], {"retain_on_delete": name == "volume-name-taken"})
        for name, case in cases.items()
    }
    outcome = refused.up("--continue-on-error")
    state = refused.state()
    for name, case in cases.items():
        assert (name in outcome.messages) == (case["up"] == "error"), (name, messages_of(outcome, name))
        assert case["says"] in messages_of(outcome, name), name
        for reason in state.get(name, {}).get("initErrors", []):
            assert "\n" not in reason, name
        assert "Traceback" not in messages_of(outcome, name)
        assert (name in state) == case["leftInState"], name
        assert bool(state.get(name, {}).get("initErrors")) == case["initError"], name
    names = {each["Names"][0] for each in engine.containers(all=True)}
    assert not [name for name in names if name.startswith("/image-missing")]


def test_the_half_made_are_replaced_by_the_next_up(refused: Stack, engine: Any) -> None:
    before = refused.state()
    half_made = {name for name, case in ERROR.items() if case["initError"]}
    good = {"command": ["sleep", "1000"], "image": "local/redis:1", "networkMode": "bridge"}
    refused.resources = dict.fromkeys(half_made, (CONTAINER, good))
    outcome = refused.up()
    assert not outcome.failed, outcome.output
    after = refused.state()
    for name in half_made:
        assert [step.op for step in outcome.steps[name]] == REPLACED, name
        assert after[name]["id"] != before[name]["id"]
        assert "initErrors" not in after[name]
    assert refused.preview().changed() == {}
