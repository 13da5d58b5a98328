"""The provider: Pulumi's requests, answered by one Resource per type. It holds no Docker and no dice."""

import hashlib
import json
from collections.abc import Iterable, Mapping

from pulumi.provider.experimental import provider
from pulumi.provider.experimental.property_value import PropertyValue

from plugins.compare import Difference, Step, compare
from plugins.errors import HalfMade, Refused
from plugins.resource import Made, Resource, State
from plugins.schema import Failure, Type, check
from plugins.values import UNKNOWN, Plain, is_unknown, plain_map, secret_keys, wrap, wrap_map

HALF_MADE = "__halfMade"
"""In the state of a resource whose creation failed half-way: the reason. It is replaced by the next `up`."""

OLD_INPUTS = "__oldInputs"
"""Under this name the servicer puts the old inputs among the old outputs of a diff."""

SECONDS = 1200.0
"""How long a create, update or delete may take where the program sets no customTimeouts."""

OF_THE_ENGINE = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "parameterization"})
"""Settings of every provider, which only the engine reads."""

PropertyMap = dict[str, PropertyValue]

KINDS = {
    (Step.ADD, False): provider.PropertyDiffKind.ADD,
    (Step.ADD, True): provider.PropertyDiffKind.ADD_REPLACE,
    (Step.DELETE, False): provider.PropertyDiffKind.DELETE,
    (Step.DELETE, True): provider.PropertyDiffKind.DELETE_REPLACE,
    (Step.UPDATE, False): provider.PropertyDiffKind.UPDATE,
    (Step.UPDATE, True): provider.PropertyDiffKind.UPDATE_REPLACE,
}


class Provider(provider.Provider):
    """Serves the types of `resources` and refuses every other."""

    def __init__(self, package: str, resources: Iterable[Resource], settings: Type) -> None:
        self.package = package
        self.resources = {each.type.name: each for each in resources}
        self.settings = settings

    def resource(self, token: str) -> Resource:
        """Return what serves the type `token`, below whatever components; raises Refused."""
        # A URN's type names the components that the resource lies in: `a:b:C$docker:index/volume:Volume`.
        token = token.rpartition("$")[2]
        if token not in self.resources:
            served = ", ".join(sorted(self.resources))
            raise Refused(f"{token} is not served by this plugin, only {served}; the official plugin has it")
        return self.resources[token]

    async def check_config(self, request: provider.CheckRequest) -> provider.CheckResponse:
        engine_settings = {
            key: value for key, value in request.new_inputs.items() if key not in OF_THE_ENGINE
        }
        _, failures = check(self.settings, _unpacked(engine_settings, self.settings))
        return provider.CheckResponse(inputs=request.new_inputs, failures=_failures(failures))

    async def diff_config(self, request: provider.DiffRequest) -> provider.DiffResponse:
        # A provider keeps nothing of its own: other settings only mean other calls from now on.
        return provider.DiffResponse(changes=None)

    async def configure(self, request: provider.ConfigureRequest) -> provider.ConfigureResponse:
        self.set_up(plain_map(_unpacked(request.args, self.settings)))
        return provider.ConfigureResponse(accept_secrets=True, supports_preview=True)

    def set_up(self, settings: Mapping[str, Plain]) -> None:
        """Take the provider's settings. Nothing to do here."""

    async def check(self, request: provider.CheckRequest) -> provider.CheckResponse:
        resource = self.resource(resource_type(request.urn)).type
        inputs, failures = check(resource, request.new_inputs)
        for rule in resource.rules:
            broken = None if failures else rule(plain_map(inputs))
            if broken:
                failures.append(Failure(*broken))
        if resource.named and "name" not in inputs:
            inputs["name"] = request.old_inputs.get("name") or wrap(
                made_up_name(_part(request.urn, 3), request.random_seed)
            )
        return provider.CheckResponse(inputs=inputs, failures=_failures(failures))

    async def diff(self, request: provider.DiffRequest) -> provider.DiffResponse:
        resource = self.resource(resource_type(request.urn)).type
        differences = compare(resource, _old_inputs(request), plain_map(request.new_inputs))
        half_made = HALF_MADE in request.old_state
        return _diff_response(differences, half_made, resource.delete_first)

    async def create(self, request: provider.CreateRequest) -> provider.CreateResponse:
        resource = self.resource(resource_type(request.urn))
        inputs = plain_map(request.properties)
        secret = secret_keys(request.properties) | resource.type.secret_outputs
        if request.preview:
            return provider.CreateResponse(None, wrap_map(resource.planned(inputs), secret))
        made = await self._created(resource, inputs, request.timeout or SECONDS, secret)
        return provider.CreateResponse(made.id, wrap_map(made.outputs, secret))

    async def _created(
        self, resource: Resource, inputs: State, seconds: float, secret: frozenset[str]
    ) -> Made:
        try:
            return await resource.create(inputs, seconds)
        except HalfMade as half:
            half.outputs = {**half.outputs, HALF_MADE: str(half)}
            half.outputs = wrap_map(half.outputs, secret)
            raise

    async def read(self, request: provider.ReadRequest) -> provider.ReadResponse:
        resource = self.resource(resource_type(request.urn))
        inputs, outputs = plain_map(request.inputs), plain_map(request.properties)
        current = await resource.read(request.resource_id, inputs, outputs)
        if current is None:
            return provider.ReadResponse(resource_id="")
        secret = secret_keys(request.inputs) | secret_keys(request.properties) | resource.type.secret_outputs
        state = wrap_map(current.outputs, secret)
        if HALF_MADE in request.properties:
            state[HALF_MADE] = request.properties[HALF_MADE]
        changed = {key: wrap(each).with_secret(key in secret) for key, each in current.inputs.items()}
        return provider.ReadResponse(current.id, state, {**request.inputs, **changed})

    async def update(self, request: provider.UpdateRequest) -> provider.UpdateResponse:
        resource = self.resource(resource_type(request.urn))
        inputs, outputs = plain_map(request.news), plain_map(request.olds)
        secret = secret_keys(request.news) | resource.type.secret_outputs
        if request.preview:
            planned = resource.planned(inputs)
            kept = {key: outputs[key] for key in planned if _unsaid(planned[key], outputs.get(key))}
            return provider.UpdateResponse(wrap_map({**planned, **kept}, secret))
        seconds = request.timeout or SECONDS
        state = await resource.update(request.resource_id, outputs, inputs, seconds)
        return provider.UpdateResponse(wrap_map(state, secret))

    async def delete(self, request: provider.DeleteRequest) -> None:
        resource = self.resource(resource_type(request.urn))
        seconds = request.timeout or SECONDS
        await resource.delete(request.resource_id, plain_map(request.properties), seconds)

    async def abandoned(self) -> None:
        """The plugin is about to end: undo what nobody will ever record. Nothing to do here."""

    async def invoke(self, request: provider.InvokeRequest) -> provider.InvokeResponse:
        raise Refused(f"{request.tok} is not served by this plugin; the official plugin has it")


def _old_inputs(request: provider.DiffRequest) -> State:
    old = request.old_state[OLD_INPUTS].value
    return plain_map(old) if isinstance(old, Mapping) else {}


def made_up_name(name: str, seed: bytes) -> str:
    """Return `name` with seven hex digits, the same for the same seed."""
    return f"{name}-{hashlib.sha256(seed).hexdigest()[:7]}"


def _unsaid(planned: Plain, known: Plain) -> bool:
    return planned is UNKNOWN and known is not None


def resource_type(urn: str) -> str:
    """Return the resource's own type, which ends the chain of its parents' types in a URN."""
    return _part(urn, 2).split("$")[-1]


def _part(urn: str, index: int) -> str:
    # A name, the last part, may itself hold the separator.
    parts = urn.split("::", 3)
    return parts[index] if len(parts) == 4 else ""


def _failures(failures: list[Failure]) -> list[provider.CheckFailure]:
    return [provider.CheckFailure(each.path, each.reason) for each in failures]


def _diff_response(
    differences: list[Difference], half_made: bool, delete_first: bool
) -> provider.DiffResponse:
    replaces = sorted({each.property for each in differences if each.replace})
    if half_made and not replaces:
        replaces = ["id"]
    diffs = list(dict.fromkeys(each.property for each in differences)) or replaces
    return provider.DiffResponse(
        changes=bool(diffs),
        replaces=replaces,
        diffs=diffs,
        delete_before_replace=delete_first and bool(replaces),
        detailed_diff={
            each.path: provider.PropertyDiff(KINDS[each.step, each.replace], input_diff=True)
            for each in differences
        },
    )


def _unpacked(values: Mapping[str, PropertyValue], settings: Type) -> PropertyMap:
    """Return a provider's settings; lists and scalars travel as JSON text."""
    return {
        key: _from_json(value) if key in settings.by_name and settings.by_name[key].items else value
        for key, value in values.items()
    }


def _from_json(value: PropertyValue) -> PropertyValue:
    if not isinstance(value.value, str) or is_unknown(value):
        return value
    try:
        return wrap(json.loads(value.value)).with_secret(value.is_secret)
    except ValueError:
        return value
