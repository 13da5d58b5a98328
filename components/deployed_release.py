"""The release that a stack's portal has, read from the stack's own state."""

from collections.abc import Mapping
from typing import Any

import pulumi

from config.portal import owner as owners
from config.portal.labels import IMAGES, OWNER, RELEASE
from config.portal.resource_types import CONTAINER
from config.releases.upgrades import DeployedRelease

GATE = "storage-init"


def resources(stack: str) -> Mapping[str, Mapping[str, Any]]:
    """What a stack's own state has: by URN the type and the outputs of each resource."""
    outputs = (
        pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": stack}).value or {}
    )
    resources_by_name: Mapping[str, Mapping[str, Any]] = outputs.get("outputs") or {}
    return resources_by_name


def read(state: Mapping[str, Mapping[str, Any]]) -> DeployedRelease | None:
    """What the last successful storage-init of a state was told; None when there was none.

    Not the stack's outputs: an update that fails half-way leaves the old ones, though its migrations may have run.
    storage-init runs before anything else of a release does, and its container is in the state from then on.
    """
    for urn, resource in state.items():
        if resource["type"] == CONTAINER and urn.endswith(f"::{GATE}"):
            return of_container(resource["outputs"])
    return None


def owner_of(state: Mapping[str, Mapping[str, Any]], environ: Mapping[str, str]) -> str:
    """Whose the portal is: what the state says already, so that it is the same whoever looks; else the shell's backend."""
    for urn, resource in state.items():
        if resource["type"] == CONTAINER and urn.endswith(f"::{GATE}"):
            labels = {each["label"]: each["value"] for each in resource["outputs"].get("labels") or []}
            if known := owners.plain(labels.get(OWNER, "")):
                return known
    return owners.of_backend(environ)


def of_container(outputs: Mapping[str, Any]) -> DeployedRelease | None:
    """What a storage-init container says; nothing where it failed, for it then changed nothing."""
    if outputs.get("exitCode"):
        return None
    labels = {each["label"]: each["value"] for each in outputs.get("labels") or []}
    if RELEASE not in labels or IMAGES not in labels:
        return None
    return DeployedRelease(release=labels[RELEASE], images=labels[IMAGES])
