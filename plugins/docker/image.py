"""docker.RemoteImage, and the pull of an image that is not there."""

from collections.abc import Mapping
from typing import Any

from plugins.docker.engine import Engine
from plugins.docker.property_builders import UPDATE, flag, mapping, text, texts, unserved
from plugins.errors import Refused
from plugins.resource import CurrentResource, Made, State
from plugins.schema import Type
from plugins.values import UNKNOWN, Plain

PULL_SECONDS = 1200
Inputs = Mapping[str, Plain]

IMAGE = Type(
    name="docker:index/remoteImage:RemoteImage",
    properties=(
        text("name", required=True),
        unserved("build"),
        flag("forceRemove", UPDATE),
        flag("keepLocally", UPDATE),
        text("platform"),
        texts("pullTriggers", unordered=True),
        mapping("triggers"),
    ),
)


async def pull(engine: Engine, name: str, platform: str | None) -> None:
    """Pull an image; raises Refused with the engine's reason."""
    repository, tag = split(name)
    auth = engine.credentials.get(registry(name))
    call = engine.call(lambda client: _pulled(client, repository, tag, platform, auth))
    await engine.wait_at_most(call, PULL_SECONDS, f"for the pull of {name}")


def _pulled(client: Any, repository: str, tag: str | None, platform: str | None, auth: Any) -> None:
    name = f"{repository}:{tag}" if tag else repository
    try:
        for line in client.pull(
            repository, tag, stream=True, decode=True, platform=platform, auth_config=auth
        ):
            if "error" in line:
                raise Refused(f"no such image here, and it cannot be pulled: {name}: {line['error']}")
    except Refused:
        raise
    except Exception as error:
        import docker

        if isinstance(error, docker.errors.APIError):
            raise Refused(
                f"no such image here, and it cannot be pulled: {name}: {error.explanation}"
            ) from None
        raise


def split(name: str) -> tuple[str, str | None]:
    """Return the repository and the tag or digest of an image's name; the tag is `latest` where none is."""
    if "@" in name:
        return name, None
    head, separator, tail = name.rpartition(":")
    if separator and "/" not in tail:
        return head, tail
    return name, "latest"


def registry(name: str) -> str:
    """Return the registry of an image's name; docker.io where it has none."""
    first, separator, _ = name.partition("/")
    is_host = separator and ("." in first or ":" in first or first == "localhost")
    return first if is_host else "docker.io"


class RemoteImage:
    """Serves docker.RemoteImage on one engine."""

    type = IMAGE

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def planned(self, inputs: Inputs) -> State:
        return {**_state(inputs), "imageId": UNKNOWN, "repoDigest": UNKNOWN}

    async def create(self, inputs: Inputs, seconds: float) -> Made:
        name = inputs["name"]
        inspection = await self.engine.none_if_gone(lambda client: client.inspect_image(name))
        if inspection is None:
            await pull(self.engine, name, inputs.get("platform"))
            inspection = await self.engine.call(lambda client: client.inspect_image(name))
        return Made(inspection["Id"] + name, _outputs(inputs, inspection))

    async def read(
        self, resource_id: str, inputs: Inputs, state: Mapping[str, Plain]
    ) -> CurrentResource | None:
        name = inputs.get("name") or state.get("name") or _name(resource_id)
        inspection = await self.engine.none_if_gone(lambda client: client.inspect_image(name))
        if inspection is None:
            return None
        imported = {} if state else {"name": name}
        return CurrentResource(
            inspection["Id"] + name, _outputs({**inputs, **imported}, inspection), imported
        )

    async def update(
        self, resource_id: str, state: Mapping[str, Plain], inputs: Inputs, seconds: float
    ) -> State:
        return {**state, **_state(inputs)}

    async def delete(self, resource_id: str, state: Mapping[str, Plain], seconds: float) -> None:
        if state.get("keepLocally"):
            return
        name, force = state["name"], bool(state.get("forceRemove"))
        await self.engine.none_if_gone(lambda client: client.remove_image(name, force=force))


def _name(resource_id: str) -> str:
    # An id is the image's sha256 with the name behind it; an import may give the name alone.
    return resource_id[71:] if resource_id.startswith("sha256:") and len(resource_id) > 71 else resource_id


def _state(inputs: Inputs) -> State:
    names = ("build", "forceRemove", "keepLocally", "name", "platform", "pullTriggers", "triggers")
    return {name: inputs.get(name) for name in names}


def _outputs(inputs: Inputs, inspection: Mapping[str, Any]) -> State:
    digests = inspection.get("RepoDigests") or [""]
    return {
        **_state(inputs),
        "id": inspection["Id"] + inputs["name"],
        "imageId": inspection["Id"],
        "repoDigest": digests[0],
    }
