"""What the program looks at before the plain CLI's first resource, in a preview and in an update."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import preflight
from config.tenant.tenant import Tenant
from preflight import tenant
from preflight.obstacles import Obstacle
from tests.programs import TENANTS

ACME = Tenant.load("acme", TENANTS)
TAKEN = Obstacle(key="listen/port", what="127.0.0.1:8081 is taken", remedy="choose another")


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the program warns of or notes."""
    warnings: list[str] = []
    for name in ("warn", "info"):
        monkeypatch.setattr(pulumi.log, name, warnings.append)
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    return warnings


def running(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Any], *, dry: bool) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: dry)
    monkeypatch.setattr(tenant, "obstacles", lambda *words: answer())
    preflight.check_engine(ACME, Path("images"), ())


def silent() -> Any:
    raise OSError("no such socket")


def test_an_update_ends_before_its_first_resource(monkeypatch: pytest.MonkeyPatch, output: list[str]) -> None:
    with pytest.raises(pulumi.RunError) as raised:
        running(monkeypatch, lambda: (TAKEN,), dry=False)
    assert str(raised.value).splitlines() == [
        "tenants/acme.yaml: listen/port: 127.0.0.1:8081 is taken; choose another",
        "nothing was stopped or changed",
    ]


def test_a_preview_warns(monkeypatch: pytest.MonkeyPatch, output: list[str]) -> None:
    running(monkeypatch, lambda: (TAKEN,), dry=True)
    assert output == [
        "an update would be refused: tenants/acme.yaml: listen/port: 127.0.0.1:8081 is taken; choose another"
    ]


def test_a_preview_without_an_engine_says_that_nobody_looked(
    monkeypatch: pytest.MonkeyPatch, output: list[str]
) -> None:
    running(monkeypatch, silent, dry=True)
    assert output == ["could not check the engine's capacity: no such socket"]
    # An update is told by the plugin.
    running(monkeypatch, silent, dry=False)
    assert len(output) == 1


def test_without_tls_no_update_runs_and_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, output: list[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker1:2375")
    with pytest.raises(pulumi.RunError, match=r"without TLS.*nothing was stopped or changed"):
        running(monkeypatch, lambda: pytest.fail("asked"), dry=False)
    running(monkeypatch, lambda: pytest.fail("asked"), dry=True)
    assert "without TLS" in output[0]
