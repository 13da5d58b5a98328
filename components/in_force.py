"""The release that a stack's portal has, read from the stack's own state."""

from collections.abc import Mapping
from typing import Any

import pulumi

from config.upgrades import InForce

CONTAINER = "docker:index/container:Container"
GATE = "storage-init"
RELEASE, IMAGES = "portal.release", "portal.images"


def read(stack: str) -> InForce | None:
    """What the last successful storage-init was told; None when there was none.

    Not the stack's outputs: an update that fails half-way leaves the old ones, though its migrations may have run.
    storage-init runs before anything else of a release does, and its container is in the state from then on.
    """
    told = pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": stack}).value or {}
    for urn, resource in (told.get("outputs") or {}).items():
        if resource["type"] == CONTAINER and urn.endswith(f"::{GATE}"):
            return of_container(resource["outputs"])
    return None


def of_container(outputs: Mapping[str, Any]) -> InForce | None:
    """What a storage-init container says; nothing where it failed, for it then changed nothing."""
    if outputs.get("exitCode"):
        return None
    labels = {each["label"]: each["value"] for each in outputs.get("labels") or []}
    if RELEASE not in labels or IMAGES not in labels:
        return None
    return InForce(release=labels[RELEASE], images=labels[IMAGES])
