"""Forms, which is how edx-platform's comments client sends."""

from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser

TRUTHS = {"true": True, "1": True, "false": False, "0": False}
TRUTH_FIELDS = (
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
    """A field's value: a form has text alone, and mongo would keep 'False' as a text that is true."""
    if name in TRUTH_FIELDS:
        if text.lower() not in TRUTHS:
            raise ParseError(f"{name} is '{text[:40]}', expected true or false")
        return TRUTHS[text.lower()]
    if name in NUMBER_FIELDS:
        try:
            return int(text)
        except ValueError:
            raise ParseError(f"{name} is '{text[:40]}', expected a number") from None
    return text


class Form(FormParser):
    """A form as a plain dictionary of typed values, as openedx-forum's own JSON callers send it."""

    def parse(self, stream, media_type=None, parser_context=None):
        """The last value of each field; an empty flag or number is as good as none."""
        fields = super().parse(stream, media_type, parser_context).dict()
        special = (*TRUTH_FIELDS, *NUMBER_FIELDS)
        return {name: typed(name, text) for name, text in fields.items() if text or name not in special}
