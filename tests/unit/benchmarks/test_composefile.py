"""The Compose file of a plan."""

import json
from typing import Any

import pytest

from benchmarks.composefile import SECRET_MARK, UnknownInput, compose_file, plain
from config.portal.resource_types import CONTAINER


def container(name: str, *after: str, **inputs: Any) -> dict[str, Any]:
    resource = {
        "name": f"acme-{name}",
        "image": f"portals/{name}:1",
        "networkMode": "bridge",
        "networksAdvanced": [{"name": "acme-private", "aliases": [name]}],
        "logDriver": "json-file",
        "logOpts": {"max-size": "10m"},
        "capabilities": {"drops": ["ALL"]},
        "stopTimeout": 30.0,
        "restart": "unless-stopped",
        **inputs,
    }
    return {
        "urn": urn(name),
        "type": CONTAINER,
        "inputs": resource,
        "dependencies": [urn(each) for each in after],
    }


def urn(name: str) -> str:
    return f"urn:pulumi:acme::portals::{CONTAINER}::{name}"


def test_a_service_waits_for_health_and_a_job_for_success() -> None:
    made = compose_file(
        [container("init", attach=True), container("mysql", "init"), container("lms", "mysql", "init")],
        "acme",
    )
    assert made["services"]["lms"]["depends_on"] == {
        "init": {"condition": "service_completed_successfully"},
        "mysql": {"condition": "service_healthy"},
    }
    assert "depends_on" not in made["services"]["init"]


def test_files_keep_their_path_mode_and_text() -> None:
    upload = {"file": "/portal/x.sh", "content": "echo $HOME\n", "permissions": "0555"}
    made = compose_file([container("lms", uploads=[upload])], "acme")
    assert made["services"]["lms"]["configs"] == [
        {"source": "lms-0", "target": "/portal/x.sh", "mode": 0o555}
    ]
    # Compose would put the caller's home there.
    assert made["configs"]["lms-0"]["content"] == "echo $$HOME\n"


def test_an_input_that_the_file_would_not_have_is_an_error() -> None:
    with pytest.raises(UnknownInput, match=r"lms: .* privileged"):
        compose_file([container("lms", privileged=True)], "acme")


def test_secrets_and_defaults_lose_their_marks() -> None:
    secret = {SECRET_MARK: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps([{"a": 1}])}
    assert plain({"uploads": secret, "__defaults": ["x"]}) == {"uploads": [{"a": 1}]}
