"""Parses forms: edx-platform's comments client sends forms, not JSON."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser

BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
BOOLEAN_FIELDS = (
    "all",
    "anonymous",
    "anonymous_to_peers",
    "closed",
    "complete",
    "endorsed",
    "pinned",
)
NUMBER_FIELDS = ("group_id",)


def typed(name: str, text: str) -> str | bool | int:
    """A field's value with its type: a form has only texts, and mongo would store 'False' as a text, which is true."""
    if name in BOOLEAN_FIELDS:
        if text.lower() not in BOOLEANS:
            raise ParseError(f"{name} is '{text[:40]}', expected true or false")
        return BOOLEANS[text.lower()]
    if name in NUMBER_FIELDS:
        try:
            return int(text)
        except ValueError:
            raise ParseError(f"{name} is '{text[:40]}', expected a number") from None
    return text


class Form(FormParser):
    """A form as a dictionary of typed values, as callers that send JSON have it."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, str | bool | int]:
        """The last value of each field; an empty flag or number is left out."""
        fields = super().parse(stream, media_type, parser_context).dict()
        special = (*BOOLEAN_FIELDS, *NUMBER_FIELDS)
        return {name: typed(name, text) for name, text in fields.items() if text or name not in special}
