"""RandomId, RandomBytes and RandomUuid."""

import base64
import binascii
import secrets
import uuid
from collections.abc import Mapping

from plugins.errors import Refused
from plugins.random.stored import KEEPERS, Stored
from plugins.resource import CurrentResource, Made, State
from plugins.schema import Kind, Property, Type
from plugins.values import UNKNOWN, Plain


class RandomId(Stored):
    """Some bytes, written in four ways, each with the prefix."""

    type = Type(
        name="random:index/randomId:RandomId",
        properties=(
            Property(name="byteLength", kind=Kind.INTEGER, required=True, minimum=1),
            Property(name="prefix", kind=Kind.STRING),
            KEEPERS,
        ),
    )

    def planned(self, inputs: Mapping[str, Plain]) -> State:
        return {**inputs, **dict.fromkeys(("b64Std", "b64Url", "dec", "hex"), UNKNOWN)}

    async def create(self, inputs: Mapping[str, Plain], seconds: float) -> Made:
        return self._made(secrets.token_bytes(inputs["byteLength"]), inputs)

    def imported(self, resource_id: str) -> CurrentResource:
        prefix, _, text = resource_id.rpartition(",")
        data = _decoded(text)
        inputs = {"byteLength": len(data), **({"prefix": prefix} if prefix else {})}
        made = self._made(data, inputs)
        return CurrentResource(made.id, made.outputs, inputs)

    def _made(self, data: bytes, inputs: Mapping[str, Plain]) -> Made:
        prefix = inputs.get("prefix", "")
        standard = base64.b64encode(data).decode()
        short = base64.urlsafe_b64encode(data).decode().rstrip("=")
        written = {"b64Std": standard, "b64Url": short, "dec": str(int.from_bytes(data)), "hex": data.hex()}
        outputs = {name: prefix + text for name, text in written.items()}
        return Made(short, {**inputs, **outputs, "id": short})


class RandomBytes(Stored):
    """Some bytes, secret."""

    type = Type(
        name="random:index/randomBytes:RandomBytes",
        properties=(Property(name="length", kind=Kind.INTEGER, required=True, minimum=1), KEEPERS),
        secret_outputs=frozenset({"base64", "hex"}),
    )

    def planned(self, inputs: Mapping[str, Plain]) -> State:
        return {**inputs, "base64": UNKNOWN, "hex": UNKNOWN}

    async def create(self, inputs: Mapping[str, Plain], seconds: float) -> Made:
        return self._made(secrets.token_bytes(inputs["length"]), inputs)

    def imported(self, resource_id: str) -> CurrentResource:
        data = _decoded(resource_id)
        inputs = {"length": len(data)}
        made = self._made(data, inputs)
        return CurrentResource(made.id, made.outputs, inputs)

    def _made(self, data: bytes, inputs: Mapping[str, Plain]) -> Made:
        text = base64.b64encode(data).decode()
        # An id stands in plain in the state: it must not be the bytes themselves.
        return Made(secrets.token_hex(8), {**inputs, "base64": text, "hex": data.hex()})


class RandomUuid(Stored):
    """A random UUID."""

    type = Type(name="random:index/randomUuid:RandomUuid", properties=(KEEPERS,))

    def planned(self, inputs: Mapping[str, Plain]) -> State:
        return {**inputs, "result": UNKNOWN}

    async def create(self, inputs: Mapping[str, Plain], seconds: float) -> Made:
        text = str(uuid.uuid4())
        return Made(text, {**inputs, "id": text, "result": text})

    def imported(self, resource_id: str) -> CurrentResource:
        return CurrentResource(resource_id, {"id": resource_id, "result": resource_id})


def _decoded(text: str) -> bytes:
    standard = text.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise Refused("the id to import must be the value in base64") from None
