"""Pulumi's own ways keep working: what an operator who knows its CLI types, on a portal with light images."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.portal.resource_types import CONTAINER, DOCKER_PROVIDER, VOLUME
from testbed.checkout import LIMIT_SECONDS, temporary_checkout
from testbed.command_result import CommandResult
from testbed.light import replace_recipes
from testbed.objects import Objects
from testbed.trial import Trial
from tests.e2e.postgres import server

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

PACK = "policies/house/pack"


@pytest.fixture(scope="module")
def yew(objects: Objects) -> Iterator[Trial]:
    """A portal that `pulumi up` alone has made: no `./portal up`."""
    with temporary_checkout("e2e-pulumi", ["e2e-yew"], objects) as checkout:
        replace_recipes(checkout.folder / "images")
        made = Trial(name="e2e-yew", checkout=checkout, objects=objects, root=checkout.drive)
        made.write()
        built = checkout.portal("images", "build")
        assert built.code == 0, str(built)
        # To set the shell's environment makes nothing.
        ran = checkout.shell("pulumi stack ls --json")
        assert (ran.code, ran.facts()) == (0, []), str(ran)
        assert not (checkout.folder / "tenants" / f"Pulumi.{made.name}.yaml").exists()
        ran = checkout.shell(f"pulumi stack select --create {made.name} && pulumi up --yes --non-interactive")
        assert ran.code == 0, str(ran)
        yield made


def pulumi(trial: Trial, words: str, **environ: str) -> CommandResult:
    """A command of the plain CLI, whatever its exit code."""
    return trial.checkout.shell(
        f"pulumi {words} --stack {trial.name} --non-interactive", LIMIT_SECONDS, **environ
    )


def works(trial: Trial, words: str, **environ: str) -> CommandResult:
    """A command of the plain CLI that must succeed."""
    ran = pulumi(trial, words, **environ)
    assert ran.code == 0, str(ran)
    return ran


def urn(trial: Trial, kind: str, name: str) -> str:
    """What the state calls a resource."""
    return next(
        str(each["urn"])
        for each in trial.state()
        if each["type"] == kind and each["urn"].endswith(f"::{name}")
    )


def others(trial: Trial, service: str) -> dict[str, str]:
    """The engine's ids of all containers but one, which a change of its memory replaces: it is told its limit."""
    containers = trial.objects.containers(trial.name)
    return {name: each["Id"] for name, each in containers.items() if name != service}


def memory(trial: Trial, service: str) -> int:
    """A container's limit in MiB."""
    inspection = trial.objects.containers(trial.name)[service]
    return int(inspection["HostConfig"]["Memory"]) // 2**20


# Nothing listens there: whoever asked it for this machine's own would fail.
PROXY = "http://127.0.0.1:9"
PROXIES = {
    "http_proxy": PROXY,
    "https_proxy": PROXY,
    "HTTP_PROXY": PROXY,
    "HTTPS_PROXY": PROXY,
    "ALL_PROXY": PROXY,
}


@pytest.mark.parametrize("excepted", [{}, {"no_proxy": "example.com", "no_grpc_proxy": "example.com"}])
def test_a_proxy_is_not_asked_for_this_machine(yew: Trial, excepted: dict[str, str]) -> None:
    """Program, CLI, language host, plugins and engine talk to each other on 127.0.0.1 and by a socket."""
    environ = {**PROXIES, **excepted}
    works(yew, "preview --expect-no-changes --refresh", **environ)
    ran = yew.checkout.portal("preview", yew.name, "--json", limit=LIMIT_SECONDS, **environ)
    assert ran.code == 0, str(ran)
    assert ran.facts()["changes"] == []
    assert yew.checkout.portal("status", yew.name, limit=LIMIT_SECONDS, **environ).code == 0


def test_up_makes_a_portal_and_a_second_one_changes_nothing(yew: Trial) -> None:
    yew.assert_whole()
    works(yew, "up --yes --skip-preview --expect-no-changes")


def test_a_preview_with_its_difference_touches_nothing(yew: Trial) -> None:
    before = yew.objects.ids(yew.name)
    kept = others(yew, "memcached")
    yew.write(sizes={"memcached": {"memory": "160MiB"}})
    ran = works(yew, "preview --diff")
    assert re.search(r"~ memory\s*: 96 => 160", ran.out), str(ran)
    assert re.search(r"~ memorySwap\s*: 96 => 160", ran.out), str(ran)
    assert yew.objects.ids(yew.name) == before
    works(yew, "up --yes --skip-preview")
    assert memory(yew, "memcached") == 160
    assert others(yew, "memcached") == kept


def test_refresh_sees_what_went_and_up_brings_it_back(yew: Trial) -> None:
    gone = yew.objects.containers(yew.name)["nginx"]["Id"]
    yew.objects.client.remove_container(gone, force=True)
    # Without a look at the engine, Pulumi compares with what it remembers.
    works(yew, "preview --expect-no-changes")
    works(yew, "refresh --yes --skip-preview")
    assert gone not in yew.names_in_state()
    works(yew, "up --yes --skip-preview")
    yew.assert_whole()


def test_what_the_state_has_lost_is_imported(yew: Trial, tmp_path: Path) -> None:
    """A volume and a container that run on: in the state again, and not made anew."""
    container, volume = (urn(yew, CONTAINER, "mail-sink"), urn(yew, VOLUME, "volume-mail-sink"))
    by_urn = {each["urn"]: each for each in yew.state()}
    provider = next(
        each for each in by_urn if f"::{DOCKER_PROVIDER}::" in each or f"${DOCKER_PROVIDER}::" in each
    )
    ids = {
        "nameTable": {
            "service": by_urn[container]["parent"],
            "storage": by_urn[volume]["parent"],
            "engine": provider,
        },
        "resources": [
            {
                "type": each.rsplit("::", 2)[1].rpartition("$")[2],
                "name": each.rpartition("::")[2],
                "id": by_urn[each]["id"],
                "parent": parent,
                "provider": "engine",
            }
            for each, parent in ((container, "service"), (volume, "storage"))
        ],
    }
    before = yew.objects.ids(yew.name)
    for each in (container, volume):
        ran = yew.checkout.shell(f"pulumi state delete --yes --stack {yew.name} '{each}'")
        assert ran.code == 0, str(ran)
    assert {by_urn[container]["id"], by_urn[volume]["id"]} & yew.names_in_state() == set()
    file = tmp_path / "lost.json"
    file.write_text(json.dumps(ids))
    works(yew, f"import --yes --generate-code=false --protect=false --file {file}")
    assert yew.objects.ids(yew.name) == before == yew.names_in_state()
    kept = others(yew, "mail-sink")
    works(yew, "up --yes --skip-preview")
    assert others(yew, "mail-sink") == kept
    yew.assert_whole()


def test_outputs_as_json_keep_their_secret(yew: Trial) -> None:
    outputs = works(yew, "stack output --json").facts()
    assert outputs["tenant"] == yew.name
    assert outputs["services"]["lms"] == f"{yew.name}-lms"
    assert outputs["addresses"]["lms"] == yew.url("")
    assert outputs["admin_password"] == "[secret]"
    assert len(yew.outputs()["admin_password"]) >= 20


def test_the_policy_pack_lets_a_portal_pass_and_refuses_one_that_breaks_a_rule(yew: Trial) -> None:
    ran = works(yew, f"preview --policy-pack {PACK}")
    assert re.search(r"house@v", ran.out), str(ran)
    source = yew.checkout.folder / "components" / "workload.py"
    before = source.read_text()
    spoilt = before.replace(
        '"memory_swap": args.memory,', '"memory_swap": args.memory * (2 if name == "nginx" else 1),'
    )
    assert spoilt != before
    source.write_text(spoilt)
    try:
        ids = yew.objects.ids(yew.name)
        for words in ("preview", "up --yes --skip-preview"):
            ran = pulumi(yew, f"{words} --policy-pack {PACK}")
            assert ran.code != 0, str(ran)
            assert re.search(r"\[mandatory\].*container-bounded.*nginx", ran.output), str(ran)
            assert "memory 64.0 and memorySwap 128.0, expected one limit" in ran.output, str(ran)
        assert yew.objects.ids(yew.name) == ids
        host_config = yew.objects.containers(yew.name)["nginx"]["HostConfig"]
        assert host_config["MemorySwap"] == host_config["Memory"] == 64 * 2**20
    finally:
        source.write_text(before)


def moved(trial: Trial, url: str) -> None:
    """The portal's state in another backend is the same portal: nothing to change, and the commands know it."""
    file = trial.checkout.base / "state.json"
    there = {"PULUMI_BACKEND_URL": url}
    works(trial, f"stack export --file {file}")
    kept = others(trial, "memcached")
    made = trial.checkout.shell(
        f"pulumi stack init --no-select --non-interactive {trial.name}", LIMIT_SECONDS, **there
    )
    assert made.code == 0, str(made)
    works(trial, f"stack import --file {file}", **there)
    file.unlink()
    works(trial, "preview --expect-no-changes", **there)
    # Unlike the last time, whatever that was.
    limit = 288 - memory(trial, "memcached")
    trial.write(sizes={"memcached": {"memory": f"{limit}MiB"}})
    ran = trial.checkout.portal("up", trial.name, "--json", limit=LIMIT_SECONDS, **there)
    assert ran.code == 0, str(ran)
    assert ran.facts()["tenant"] == trial.name
    assert memory(trial, "memcached") == limit
    assert others(trial, "memcached") == kept
    shown = works(trial, "stack output --json --show-secrets", **there).facts()
    assert shown["admin_password"] == trial.outputs()["admin_password"]
    # What was left behind is stale: the way back is the same as the way there.
    works(trial, f"stack export --file {file}", **there)
    works(trial, f"stack import --file {file}")
    file.unlink()
    works(trial, "preview --expect-no-changes")


def test_a_file_backend_elsewhere(yew: Trial) -> None:
    folder = yew.checkout.base / "elsewhere"
    folder.mkdir()
    moved(yew, f"file://{folder}")


def test_a_database_as_backend(yew: Trial) -> None:
    """PostgreSQL, over TCP."""
    with server(yew.checkout.base / "postgres") as url:
        moved(yew, url)


def test_another_passphrase(yew: Trial) -> None:
    """Changed by Pulumi's own command; the old one then opens nothing, and the portal is the same."""
    before = yew.outputs()["admin_password"]
    ran = yew.checkout.shell(
        "printf 'of-another-shell\\nof-another-shell\\n' | "
        f"pulumi stack change-secrets-provider passphrase --stack {yew.name}"
    )
    assert ran.code == 0, str(ran)
    refused = pulumi(yew, "preview")
    assert refused.code != 0
    assert "incorrect passphrase" in refused.output, str(refused)
    new = {"PULUMI_CONFIG_PASSPHRASE": "of-another-shell"}
    assert works(yew, "stack output --json --show-secrets", **new).facts()["admin_password"] == before
    works(yew, "preview --expect-no-changes", **new)
    ran = yew.checkout.portal("up", yew.name, "--json", limit=LIMIT_SECONDS, **new)
    assert ran.code == 0, str(ran)
