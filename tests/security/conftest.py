"""The configuration of an Open edX container, loaded from the image's folder, with folders of its own."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.portal.openedx import SECRETS, settings_files
from config.tenant.tenant import Tenant
from tests import standalone
from tests.programs import ROOT, TENANTS

HOME = ROOT / "images" / "configuration"


@pytest.fixture(scope="module")
def configuration() -> Iterator[SimpleNamespace]:
    """The package's modules by name."""
    with standalone.configurator() as modules:
        yield modules


@pytest.fixture
def given_to_ansible(configuration: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What Ansible is given, run by run; it makes of each variable a setting, as the role does of some."""
    all_variables: list[dict[str, Any]] = []

    def run(paths: object, variables: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
        all_variables.append(dict(variables))
        made = json.loads(json.dumps({"FEATURES": {}, **variables}))
        return {"lms": made, "cms": made}

    monkeypatch.setattr(configuration.ansible, "run_playbook", run)
    return all_variables


@pytest.fixture
def paths(configuration: SimpleNamespace, tmp_path: Path, given_to_ansible: object) -> Any:
    """A container's folders, with the layers and every secret of a tenant."""
    names = ("layers", "secrets", "overrides", "rendered", "settings")
    made = configuration.paths.Paths(home=HOME, **{name: tmp_path / name for name in names})
    for name in names:
        (tmp_path / name).mkdir()
    for path, text in settings_files(Tenant.load("acme", TENANTS)).items():
        (made.layers / Path(path).name).write_text(text)
    for name in SECRETS:
        (made.secrets / name).write_text(f"generated-{name}")
    return made
