"""What holds for every container of every portal, whatever it runs."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pulumi import RunError

from components.job import JobFailed
from components.service import HEALTH_SCRIPT
from components.workload import spec_hash
from config.releases.release import Releases
from config.tenant.tenant import Mail, Tenant, names
from policies.house import rules
from policies.house.resource import Resource
from policies.house.rules import findings, leaks
from tests.programs import ROOT, TENANTS, planned, portal, released
from tests.recorder import Planned, Recorder

# A changed token replaces a customer's portal: a new component is added here, none is ever changed.
TOKENS = {
    "DataStores",
    "Edge",
    "Job",
    "Mailer",
    "Networks",
    "OpenEdx",
    "Ops",
    "Portal",
    "Secrets",
    "Service",
    "Storage",
}


@pytest.fixture(scope="module", params=names(TENANTS))
def plan(request: pytest.FixtureRequest) -> Recorder:
    return portal(request.param)


def resource(planned_one: Planned) -> Resource:
    """What the rules judge of a recorded resource."""
    return Resource(type=planned_one.type, name=planned_one.name, inputs=planned_one.inputs)


def test_the_rules_know_the_probe_of_the_components() -> None:
    assert rules.HEALTH_SCRIPT == HEALTH_SCRIPT


@pytest.mark.parametrize("release", Releases(ROOT / "config" / "releases").known())
def test_public_images_of_each_release_keep_the_house_rules(release: str, tmp_path: Path) -> None:
    planned_portal = planned(released("acme", release, tmp_path))
    assert {each.name: broken for each in planned_portal.plan if (broken := findings(resource(each)))} == {}


def test_every_resource_keeps_the_house_rules(plan: Recorder) -> None:
    assert {each.name: broken for each in plan.plan if (broken := findings(resource(each)))} == {}


def test_two_containers_can_share_neither_a_name_nor_a_port_and_changes_that_are_not_seen_replace(
    plan: Recorder,
) -> None:
    for container in plan.containers():
        assert container.options.deleteBeforeReplace, container.name
        unseen = {"tmpfs"} if resource(container).is_job else {"healthcheck", "tmpfs"}
        assert unseen == set(container.options.replaceOnChanges), container.name


def test_what_a_plugin_does_not_see_change_changes_a_label() -> None:
    env, labels = {"A": "1", "B": "2"}, {"a": "1"}
    shapes = [
        spec_hash(env, labels),
        spec_hash({"A": "1"}, labels),
        spec_hash({}, labels),
        spec_hash(env, {}),
    ]
    assert len(set(shapes)) == len(shapes)
    # One order, whatever the program's.
    assert spec_hash({"B": "2", "A": "1"}, labels) == spec_hash(env, labels)


def test_every_container_has_its_shape_among_its_labels(plan: Recorder) -> None:
    for container in plan.containers():
        labels = resource(container).labels
        own = {key: value for key, value in labels.items() if key != "portal.spec-hash"}
        env = dict(each.split("=", 1) for each in container.inputs["envs"])
        assert labels["portal.spec-hash"] == spec_hash(env, own), container.name


def test_what_containers_hang_on_is_replaced_in_turn(plan: Recorder) -> None:
    """Of any two that a container uses, one waits for the other: else a deletion begins while it is still used."""
    by_urn = dict(zip(plan.urns, plan.plan, strict=True))

    def behind(urn: str) -> set[str]:
        before = set(by_urn[urn].options.dependencies) & set(by_urn)
        return before.union(*map(behind, before))

    shared = 0
    for each in plan.containers():
        used = [
            urn
            for urn in each.options.dependencies
            if urn in by_urn and by_urn[urn].options.deleteBeforeReplace and by_urn[urn].type != each.type
        ]
        unordered = [
            (one, other)
            for one in used
            for other in used
            if one < other and one not in behind(other) and other not in behind(one)
        ]
        assert unordered == [], each.name
        shared += len(used) > 1
    assert shared > 5


def test_what_plugins_lie_about_is_not_used(plan: Recorder) -> None:
    """docs/deviations.md tells why."""
    unused = {"init", "rm", "cpuPeriod", "cpuQuota", "cpuSet", "memoryReservation"}
    for container in plan.containers():
        assert unused & {key for key, value in container.inputs.items() if value is not None} == set()
        # Told truly as long as it is never taken away.
        assert container.inputs["cpuShares"], container.name


def test_tasks_give_way_to_pages(plan: Recorder) -> None:
    weights = {each.name: each.inputs["cpuShares"] for each in plan.containers()}
    workers = {name for name in weights if "-workers" in name}
    assert workers
    assert max(weights[each] for each in workers) < min(weights[each] for each in set(weights) - workers)


def on(plan: Recorder, network: str) -> set[str]:
    """The containers that are on a network."""
    return {
        each.name
        for each in plan.containers()
        if any(one["name"].endswith(f"-{network}") for one in each.inputs.get("networksAdvanced") or [])
    }


def test_a_mailer_that_sends_alone_has_egress_and_the_load_balancer_ingress(plan: Recorder) -> None:
    mailer = next(each for each in plan.containers() if each.name == "mailer")
    # A mailer whose mail ends in the portal's own sink needs no egress.
    sink = "MAIL_DELIVERY=sink" in mailer.inputs["envs"]
    assert on(plan, "egress") == (set() if sink else {"mailer"})
    assert on(plan, "ingress") == {"load-balancer"}


def test_networks_are_joined_in_one_order(plan: Recorder) -> None:
    """Any other is a change in each preview."""
    for container in plan.containers():
        network_names = [one["name"] for one in container.inputs.get("networksAdvanced") or []]
        assert network_names == sorted(network_names), container.name


def test_secrets_reach_containers_as_files_alone(plan: Recorder) -> None:
    containers = [resource(each) for each in plan.containers()]
    secrets = {
        each.name: f"generated-{each.name}" for each in plan.plan if each.type.endswith(":RandomPassword")
    }
    assert secrets
    assert list(leaks(containers, secrets)) == []
    for container in plan.containers():
        for upload in container.inputs.get("uploads") or []:
            assert ("generated-" in upload["content"]) == upload["file"].startswith("/run/secrets/"), upload[
                "file"
            ]


def test_component_tokens_never_change(plan: Recorder) -> None:
    assert {each.type for each in plan.plan if each.type.startswith("portal:")} == {
        f"portal:index:{name}" for name in TOKENS
    }


def test_every_component_registers_its_outputs(plan: Recorder) -> None:
    assert {each.name for each in plan.plan if each.type.startswith("portal:")} <= set(plan.finished)


def test_no_two_resources_share_a_urn(plan: Recorder) -> None:
    assert len(plan.urns) == len(set(plan.urns))


def test_nothing_starts_after_a_failed_job() -> None:
    with pytest.raises(JobFailed, match=r"job storage-init of portal acme ended with exit code 3") as failed:
        portal("acme", storage_init=3)
    assert "log of storage-init" in str(failed.value)


def smarthost(name: str = "acme") -> Tenant:
    mail = Mail(delivery="smarthost", smarthost="smtp.acme.example:587", username="acme", domains=())
    return replace(Tenant.load(name, TENANTS), mail=mail)


def test_a_smarthost_without_its_password_is_refused_with_the_command_that_gives_it() -> None:
    refusal_text = "mail/smarthost: 'smtp.acme.example:587' has no password yet.*pulumi config set --secret smarthostPassword"
    with pytest.raises(RunError, match=refusal_text):
        planned(smarthost())


def test_the_password_of_a_smarthost_is_a_file_of_the_mailer_and_nothing_else() -> None:
    holders = {
        each.name: [upload["file"] for upload in each.inputs["uploads"] if "gen-pass" in upload["content"]]
        for each in planned(smarthost(), "gen-pass").containers()
        if "gen-pass" in repr(each.inputs)
    }
    assert holders == {"mailer": ["/run/secrets/mailer-smarthost-password"]}


def test_mail_waits_for_the_drive_alone() -> None:
    after = {each.name: each.after for each in portal("demo").containers()}
    jobs_and_services = set(after)
    for name in ("mailer", "mail-sink"):
        assert set(after[name]) & jobs_and_services == {"storage-init"}, name


def test_open_edx_waits_for_its_migrations() -> None:
    after = {each.name: each.after for each in portal("acme").containers()}
    assert all("edxapp-migrations" in after[name] for name in ("lms", "cms", "lms-workers", "cms-workers"))
    assert {"elasticsearch", "mysql", "mongo"} <= set(after["edxapp-migrations"])


def test_only_service_and_job_create_containers() -> None:
    makers = {
        path.name
        for path in (ROOT / "components").glob("*.py")
        if re.search(r"docker\.Container\(", path.read_text())
    }
    assert makers == {"service.py", "job.py"}


@pytest.mark.parametrize("forbidden", ["pulumi", "components", "automation"])
def test_the_look_before_knows_nothing_above_it(forbidden: str) -> None:
    pattern = re.compile(rf"^\s*(from|import) {forbidden}\b", re.MULTILINE)
    readers = [
        path.name for path in Path(ROOT / "preflight").rglob("*.py") if pattern.search(path.read_text())
    ]
    assert not readers


@pytest.mark.parametrize("forbidden", ["pulumi", "components", "automation", "preflight"])
def test_config_knows_nothing_above_it(forbidden: str) -> None:
    pattern = re.compile(rf"^\s*(from|import) {forbidden}\b", re.MULTILINE)
    assert not [path.name for path in Path(ROOT / "config").rglob("*.py") if pattern.search(path.read_text())]


def test_the_command_does_not_load_what_only_the_program_needs() -> None:
    """Half a second of each command: the SDK and its 400 classes."""
    program = "import sys, automation.cli; print([name for name in sys.modules if name.startswith('pulumi')])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
