"""A recorded plan as a text that a reviewer reads: networks, volumes, secrets, and each container with all it may do."""

from collections.abc import Iterator
from typing import Any

from config.portal.resource_types import NETWORK, PASSWORD, VOLUME
from config.releases.public_images import START_SECONDS
from tests.recorder import Planned, Recorder


def render(recorder: Recorder) -> str:
    """The whole plan; image tags are left out, as every edit of an image would change them."""
    return "\n".join(lines(recorder)) + "\n"


def lines(recorder: Recorder) -> Iterator[str]:
    """One line a fact, in an order that does not depend on the order of creation."""
    yield "networks"
    for each in by_name(recorder, NETWORK):
        kind = "internal" if each.inputs.get("internal") else "with a way out"
        yield f"  {each.inputs['name']}  {each.inputs['ipamConfigs'][0]['subnet']}  {kind}"
    yield "volumes"
    for each in by_name(recorder, VOLUME):
        yield f"  {each.inputs['name']}  {each.inputs['driverOpts']['device']}"
    yield "secrets"
    for each in by_name(recorder, PASSWORD):
        yield f"  {each.name}  {each.inputs['length']:.0f} characters"
    yield "containers"
    started = {each.name for each in recorder.containers()}
    for each in recorder.containers():
        yield from container(each, started)


def by_name(recorder: Recorder, kind: str) -> list[Planned]:
    """The resources of one type, by name."""
    return sorted((each for each in recorder.plan if each.type == kind), key=lambda each: each.name)


def container(each: Planned, started: set[str]) -> Iterator[str]:
    """A container: what it runs, with how much, what it sees, which of the others it waits for."""
    inputs = each.inputs
    words = " ".join(inputs.get("command") or [])
    yield f"  {inputs['name']}  {image_reference(inputs['image'])}  {words}".rstrip()
    yield f"    user {inputs['user']}, {inputs['memory']:.0f} MiB, grace {inputs['destroyGraceSeconds']:.0f} s{rights(inputs)}"
    for network in inputs.get("networksAdvanced") or []:
        yield f"    network {network['name']} as {', '.join(network.get('aliases') or []) or '(no name)'}"
    for port in inputs.get("ports") or []:
        yield f"    published {port['ip']}:{port['external']:.0f} -> {port['internal']:.0f}"
    for volume in inputs.get("volumes") or []:
        source = volume.get("volumeName") or volume.get("hostPath")
        yield f"    volume {source} -> {volume['containerPath']}{' read-only' if volume.get('readOnly') else ''}"
    for mount in inputs.get("mounts") or []:
        yield f"    mount {mount['source']} -> {mount['target']}{' read-only' if mount.get('readOnly') else ''}"
    for upload in inputs.get("uploads") or []:
        yield f"    file {upload['file']}"
    for env in inputs.get("envs") or []:
        yield f"    env {env}"
    if inputs.get("healthcheck"):
        yield f"    probe {' '.join(inputs['healthcheck']['tests'][1:])}{slow_start(inputs['healthcheck'])}"
    yield f"    after {', '.join(name for name in each.after if name in started) or 'nothing'}"


def slow_start(healthcheck: dict[str, Any]) -> str:
    """How long its start may take, where that is not what is usual."""
    period = healthcheck["startPeriod"]
    return "" if period == f"{START_SECONDS}s" else f" (start: {period})"


def image_reference(reference: str) -> str:
    """An image's name: built here without its tag, public ones with theirs and without the digest."""
    return reference.split(":")[0] if reference.startswith("portals/") else reference.split("@")[0]


def rights(inputs: dict[str, Any]) -> str:
    """The capabilities it keeps, if any."""
    kept = inputs["capabilities"].get("adds") or []
    return f", may {' '.join(kept)}" if kept else ""
