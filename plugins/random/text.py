"""RandomPassword and RandomString: random text of given classes of characters."""

import asyncio
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass

from plugins.random.bcrypt import bcrypt_hash
from plugins.random.stored import KEEPERS, Stored
from plugins.resource import CurrentResource, Made, State
from plugins.schema import Kind, Property, Type
from plugins.values import UNKNOWN, Plain

SPECIAL = "!@#$%&*()-_=+[]{}<>:?"


@dataclass(frozen=True)
class CharacterClass:
    """A class of characters, the property that wants it and the one that says how many at least."""

    flag: str
    minimum: str
    characters: str


CLASSES = (
    CharacterClass("lower", "minLower", string.ascii_lowercase),
    CharacterClass("upper", "minUpper", string.ascii_uppercase),
    CharacterClass("numeric", "minNumeric", string.digits),
    CharacterClass("special", "minSpecial", SPECIAL),
)


def long_enough(inputs: Mapping[str, Plain]) -> tuple[str, str] | None:
    """Say that the length does not hold the minimums, where it does not."""
    counts = [inputs.get("length"), *(inputs.get(each.minimum, 0) for each in CLASSES)]
    if UNKNOWN in counts or counts[0] >= sum(counts[1:]):
        return None
    least = sum(counts[1:])
    return (
        "length",
        f"must be at least minLower + minUpper + minNumeric + minSpecial = {least}, got {counts[0]}",
    )


def some_characters(inputs: Mapping[str, Plain]) -> tuple[str, str] | None:
    """Say that no class of characters is left to choose from, where none is."""
    if UNKNOWN in inputs.values() or any(characters(inputs).values()):
        return None
    return "length", "no characters to choose from: allow lower, upper, numeric or special"


def _properties() -> tuple[Property, ...]:
    flags = [Property(name=each.flag, kind=Kind.BOOLEAN, default=True) for each in CLASSES]
    minimums = [Property(name=each.minimum, kind=Kind.INTEGER, default=0, minimum=0) for each in CLASSES]
    return (
        Property(name="length", kind=Kind.INTEGER, required=True, minimum=1),
        *flags,
        *minimums,
        # The older name of `numeric`.
        Property(name="number", kind=Kind.BOOLEAN, default=True),
        Property(name="overrideSpecial", kind=Kind.STRING),
        KEEPERS,
    )


PASSWORD = Type(
    name="random:index/randomPassword:RandomPassword",
    properties=_properties(),
    secret_outputs=frozenset({"result", "bcryptHash"}),
    rules=(long_enough, some_characters),
)
STRING = Type(
    name="random:index/randomString:RandomString",
    properties=_properties(),
    rules=(long_enough, some_characters),
)


def characters(inputs: Mapping[str, Plain]) -> dict[str, str]:
    """Return the characters to choose from, by the name of their minimum."""
    numeric = inputs.get("numeric", True) and inputs.get("number", True)
    classes = {**{each.flag: inputs.get(each.flag, True) for each in CLASSES}, "numeric": numeric}
    special = inputs.get("overrideSpecial") or SPECIAL
    return {
        each.minimum: (special if each.flag == "special" else each.characters) if classes[each.flag] else ""
        for each in CLASSES
    }


def random_text(inputs: Mapping[str, Plain]) -> str:
    """Return random text of `length`, with at least the minimum of each class."""
    choice = characters(inputs)
    every = "".join(choice.values())
    chosen = [
        secrets.choice(choice[name]) for name in choice if choice[name] for _ in range(inputs.get(name, 0))
    ]
    chosen += [secrets.choice(every) for _ in range(inputs["length"] - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


class RandomText(Stored):
    """RandomPassword, whose result is secret, or RandomString, whose result is its id."""

    def __init__(self, resource: Type) -> None:
        self.type = resource
        self.is_password = resource is PASSWORD

    def planned(self, inputs: Mapping[str, Plain]) -> State:
        hidden: State = {"result": UNKNOWN}
        if self.is_password:
            hidden["bcryptHash"] = UNKNOWN
        return {**_with_defaults(inputs), **hidden}

    async def create(self, inputs: Mapping[str, Plain], seconds: float) -> Made:
        text = random_text(inputs)
        if not self.is_password:
            return Made(text, {**_with_defaults(inputs), "id": text, "result": text})
        # A tenth of a second of one core: in a thread, beside the others.
        hashed = await asyncio.to_thread(bcrypt_hash, text)
        return Made("none", {**_with_defaults(inputs), "id": "none", "result": text, "bcryptHash": hashed})

    def imported(self, resource_id: str) -> CurrentResource:
        outputs = {**_with_defaults({"length": len(resource_id)}), "result": resource_id}
        if self.is_password:
            hashed = {"id": "none", "bcryptHash": bcrypt_hash(resource_id)}
            return CurrentResource("none", {**outputs, **hashed}, {"length": len(resource_id)})
        return CurrentResource(resource_id, {**outputs, "id": resource_id}, {"length": len(resource_id)})


def _with_defaults(inputs: Mapping[str, Plain]) -> State:
    defaults = {each.name: each.default for each in PASSWORD.properties if each.default is not None}
    settled = {**defaults, **inputs}
    if "number" in inputs or "numeric" in inputs:
        both = inputs.get("numeric", True) and inputs.get("number", True)
        settled["numeric"] = settled["number"] = both
    return settled
