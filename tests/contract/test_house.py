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
from config.tenant import Mail, Tenant, names
from tests.programs import ROOT, TENANTS, planned, portal
from tests.recorder import Planned, Recorder

DATA_STORES = {"elasticsearch", "mongo", "mysql", "rabbitmq", "redis"}
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


def labels(container: Planned) -> dict[str, str]:
    return {each["label"]: each["value"] for each in container.inputs["labels"]}


def is_job(container: Planned) -> bool:
    return labels(container)["portal.group"] == "ops"


def test_every_container_is_bounded_and_hardened(plan: Recorder) -> None:
    for container in plan.containers():
        told, name = container.inputs, container.name
        assert told["memory"] == told["memorySwap"] > 0, name
        assert told["logDriver"] == "json-file", name
        assert set(told["logOpts"]) == {"max-file", "max-size"}, name
        assert told["securityOpts"] == ["no-new-privileges:true"], name
        assert told["capabilities"]["drops"] == ["ALL"], name
        assert all(each.startswith("CAP_") for each in told["capabilities"].get("adds") or []), name
        assert told["ulimits"][0]["name"] == "nofile", name
        assert told["destroyGraceSeconds"] >= 30, name
        assert not told.get("privileged"), name
        assert container.options.deleteBeforeReplace, name


def test_only_storage_init_runs_as_root_or_keeps_a_capability(plan: Recorder) -> None:
    strong = {
        each.name
        for each in plan.containers()
        if each.inputs["user"] == "0" or each.inputs["capabilities"].get("adds")
    }
    assert strong == {"storage-init"}


def test_every_container_says_whose_it_is(plan: Recorder) -> None:
    for container in plan.containers():
        told = labels(container)
        tenant = told["portal.tenant"]
        assert container.inputs["name"] == f"{tenant}-{container.name}"
        assert told["portal.service"] == told["com.docker.compose.service"] == container.name
        assert told["com.docker.compose.project"] == tenant
        assert told["portal.group"] in {"openedx", "addons", "support", "data", "ops"}


def test_services_are_watched_and_restarted_and_jobs_are_not(plan: Recorder) -> None:
    for container in plan.containers():
        told = container.inputs
        if is_job(container):
            assert (told["restart"], told["mustRun"], told["attach"], told["logs"]) == (
                "no",
                False,
                True,
                True,
            )
            assert "healthcheck" not in told
        else:
            assert told["restart"] == "unless-stopped", container.name
            assert told["wait"], container.name
            assert told["healthcheck"]["tests"][:2] == ["CMD", HEALTH_SCRIPT], container.name
            assert "healthcheck" in container.options.replaceOnChanges, container.name


def test_data_stores_get_time_to_write(plan: Recorder) -> None:
    graces = {each.name: each.inputs["destroyGraceSeconds"] for each in plan.containers()}
    assert all(graces[name] >= 120 for name in DATA_STORES)


def test_only_the_load_balancer_publishes_a_port_and_few_have_a_way_out(plan: Recorder) -> None:
    for container in plan.containers():
        joined = [each["name"] for each in container.inputs.get("networksAdvanced") or []]
        ports = len(container.inputs.get("ports") or [])
        assert ports == (container.name == "load-balancer"), container.name
        # A mailer whose mail ends in the portal's own sink needs no way out.
        goes_out = container.name == "load-balancer" or (
            container.name == "mailer" and "MAIL_DELIVERY=sink" not in container.inputs["envs"]
        )
        if goes_out:
            assert [each.rsplit("-")[-1] for each in joined] == ["private", "egress"]
        else:
            assert all(each.endswith("-private") for each in joined), container.name


def test_a_container_sees_its_own_directories_and_never_the_drive(plan: Recorder) -> None:
    for container in plan.containers():
        tenant = labels(container)["portal.tenant"]
        for volume in container.inputs.get("volumes") or []:
            if container.name == "storage-init":
                assert volume["hostPath"].endswith(f"/{tenant}")
            else:
                assert volume["volumeName"].startswith(f"{tenant}-"), container.name
                assert "hostPath" not in volume, container.name
        for mount in container.inputs.get("mounts") or []:
            assert mount["source"].endswith("/.portals-drive"), container.name
            assert mount["readOnly"], container.name


def test_secrets_reach_containers_as_files_alone(plan: Recorder) -> None:
    for container in plan.containers():
        for upload in container.inputs.get("uploads") or []:
            assert ("generated-" in upload["content"]) == upload["file"].startswith("/run/secrets/"), upload[
                "file"
            ]
        rest = {
            key: value for key, value in container.inputs.items() if key not in ("uploads", "containerLogs")
        }
        assert "generated-" not in repr(rest), container.name


def test_lists_are_sorted_so_that_a_second_preview_is_empty(plan: Recorder) -> None:
    for container in plan.containers():
        for key in ("envs", "uploads", "labels"):
            told = [
                each if isinstance(each, str) else sorted(each.items(), key=str)
                for each in container.inputs.get(key) or []
            ]
            names_ = [
                str(each) if isinstance(each, str) else str(dict(each).get("file") or dict(each).get("label"))
                for each in told
            ]
            assert names_ == sorted(names_), (container.name, key)


def test_images_are_tagged_by_what_they_are_built_from(plan: Recorder) -> None:
    for container in plan.containers():
        assert re.fullmatch(r"portals/[a-z-]+:[0-9a-f]{16}", container.inputs["image"]), container.name


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
    wanted = "mail/smarthost: 'smtp.acme.example:587' has no password yet.*pulumi config set --secret smarthostPassword"
    with pytest.raises(RunError, match=wanted):
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
def test_config_knows_nothing_above_it(forbidden: str) -> None:
    pattern = re.compile(rf"^\s*(from|import) {forbidden}\b", re.MULTILINE)
    assert not [path.name for path in Path(ROOT / "config").rglob("*.py") if pattern.search(path.read_text())]


def test_the_command_does_not_load_what_only_the_program_needs() -> None:
    """Half a second of each command: the SDK and its 400 classes."""
    said = "import sys, automation.cli; print([name for name in sys.modules if name.startswith('pulumi')])"
    done = subprocess.run([sys.executable, "-c", said], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
