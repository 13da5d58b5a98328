"""The plain program refuses a release that may not follow the one in force, before it asks for anything."""

import json
import os
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import deployed_release
from components.preflight import LOOKED
from config.portal.resource_types import CONTAINER
from config.releases.upgrades import DeployedRelease
from tests.contract.plugin_stack import missing
from tests.programs import ROOT
from tests.recorder import record

GATE = "urn:pulumi:acme::portals::portal:index:Portal$portal:index:Job$docker:index/container:Container::storage-init"


def gate(release: str, images: str, code: int = 0) -> dict[str, Any]:
    """The outputs of a storage-init that ended with this code."""
    labels = [{"label": "portal.release", "value": release}, {"label": "portal.images", "value": images}]
    return {"exitCode": code, "labels": labels}


def state(release: str, code: int = 0) -> dict[str, Any]:
    """What the engine says of a stack's resources."""
    return {GATE: {"type": CONTAINER, "outputs": gate(release, "packages", code)}}


def program() -> None:
    # No engine is asked: what this machine has is no matter of releases.
    runpy.run_path(str(ROOT / "__main__.py"), init_globals={LOOKED: True})


@pytest.mark.parametrize("known", [{}, state("redwood"), state("juniper"), state("verawood", code=1)])
def test_a_portal_goes_forward_or_stays(known: dict[str, Any]) -> None:
    assert record(program, state=known).containers()


def test_a_downgrade_is_refused_before_the_first_resource() -> None:
    with pytest.raises(
        pulumi.RunError, match=r"^tenants/acme.yaml: release: the portal has verawood, which is newer"
    ):
        record(program, state=state("verawood"))


def test_a_portal_of_before_releases_were_told_is_taken_as_it_is() -> None:
    assert (
        deployed_release.of_container(
            {"exitCode": 0, "labels": [{"label": "portal.tenant", "value": "acme"}]}
        )
        is None
    )
    assert deployed_release.of_container({"exitCode": 0}) is None
    assert deployed_release.of_container(gate("redwood", "hub")) == DeployedRelease(
        release="redwood", images="hub"
    )


@pytest.fixture
def cli(tmp_path: Path) -> Any:
    """The real CLI with a file backend of its own, on a project whose program is this repo's."""
    if reason := missing():
        pytest.skip(reason)
    (tmp_path / "Pulumi.yaml").write_text("name: portals\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(
        f"import runpy, sys\nsys.path.insert(0, {str(ROOT)!r})\nrunpy.run_path({str(ROOT / '__main__.py')!r})\n"
    )
    environ = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{tmp_path}",
        "PULUMI_CONFIG_PASSPHRASE": "releases",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
    }
    environ.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)

    def run(*words: str, answer: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *words, "--non-interactive", "--color", "never"],
            cwd=tmp_path,
            env=environ,
            input=answer,
            capture_output=True,
            text=True,
            timeout=120,
        )

    run("stack", "init", "acme").check_returncode()
    return run


def test_the_plain_preview_refuses_by_the_state_of_its_own_stack(cli: Any) -> None:
    exported = json.loads(cli("stack", "export").stdout)
    stack = "urn:pulumi:acme::portals::pulumi:pulumi:Stack::portals-acme"
    exported["deployment"]["resources"] = [
        {"urn": stack, "custom": False, "type": "pulumi:pulumi:Stack"},
        {
            "urn": GATE,
            "custom": True,
            "id": "of-storage-init",
            "type": CONTAINER,
            "outputs": gate("verawood", "packages"),
        },
    ]
    cli("stack", "import", answer=json.dumps(exported)).check_returncode()
    ended = cli("preview")
    assert ended.returncode
    assert (
        "tenants/acme.yaml: release: the portal has verawood, which is newer than redwood, and data only goes "
        "forward; keep `release: verawood`, or restore a backup of redwood into a new tenant" in ended.stdout
    )
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "storage-init" not in ended.stdout
