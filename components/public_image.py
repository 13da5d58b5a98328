"""What a workload of ours looks like when it runs a public image, as the release's data says."""

from dataclasses import replace
from typing import Any

from config.releases.public_images import Hub, file

# Where images built here keep their data.
DATA = "/data"
FOLDER = "/portal/hub"


def public_image_args(container: dict[str, Any], hub: Hub) -> dict[str, Any]:
    """The arguments of a workload for the public image: other paths, command, probe; the same files and secrets."""
    made = dict(container)
    made["env"] = {**container.get("env", {}), **dict(each.split("=", 1) for each in hub.environment)}
    made["files"] = {
        **container.get("files", {}),
        **{f"{FOLDER}/{each}": file(each) for each in hub.files},
    }
    made["volumes"] = tuple(
        replace(each, path=hub.data) if each.path == DATA else each for each in container.get("volumes", ())
    )
    if hub.command:
        made["command"] = hub.command
    if hub.probe:
        made["probe"] = hub.probe
    if hub.tmpfs:
        made["tmpfs"] = dict(each.split(":", 1) for each in hub.tmpfs)
    if hub.capabilities:
        made["capabilities"] = hub.capabilities
    return made
