"""Answers in a form that can be compared: what changes from one portal or moment to the next is left out by rules."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

import yaml

from tests.records.record import FOLDER

_RULES = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))
TEXTS = [(re.compile(each["like"]), each["as"]) for each in _RULES["texts"]]
KEYS: Mapping[str, str] = _RULES["keys"]
NUMBERS = frozenset(_RULES["numbers"])
HEADERS: tuple[str, ...] = tuple(_RULES["headers"])
COOKIES = frozenset(_RULES["cookies"])
FIELD: tuple[str, ...] = tuple(_RULES["field"])
PAGE = "(an HTML page)"


def normal(status: int, headers: Mapping[str, list[str]], body: bytes) -> dict[str, Any]:
    """An answer by the rules. `headers` has lower-case names."""
    kind = headers.get("content-type", [""])[0].partition(";")[0].strip()
    names: dict[str, str] = {}
    for name in HEADERS:
        for value in headers.get(name.lower(), ()):
            if name == "Content-Type":
                names[name] = kind
            elif name == "Set-Cookie":
                if (cookie := value.partition("=")[0]) in COOKIES:
                    names[name] = " ".join(sorted({*names.get(name, "").split(), cookie}))
            else:
                names[name] = _text(value)
    return {"status": status, "headers": names, "body": _body(kind, body)}


def forum_call(method: str, path: str, body: str) -> str:
    """A call to the forum as one line: what it asks for, and the names and values that it tells, sorted."""
    place, _, query = path.partition("?")
    parameters = {**dict(parse_qsl(query)), **dict(parse_qsl(body))}
    parameters.pop("request_id", None)
    words = [f"{key}={_called(key, each)}" for key, each in sorted(parameters.items())]
    return " ".join([method, _called("", re.sub(r"(?<=/users/)\d+$", "(number)", unquote(place))), *words])


def _called(key: str, text: str) -> str:
    return (
        "(number)" if key in ("user_id", "external_id") else re.sub(r"\b[0-9a-f]{24}\b", "(id)", _text(text))
    )


def _body(kind: str, body: bytes) -> Any:
    if not body.strip():
        return ""
    if kind == "application/json":
        return value("", json.loads(body))
    return PAGE if kind == "text/html" else _text(body.decode())


def value(key: str, content: Any) -> Any:
    """A value of a JSON answer by the rules, under the key that it has there."""
    if isinstance(content, Mapping):
        return {_text(str(each)): value(str(each), inner) for each, inner in content.items()}
    if isinstance(content, list):
        return [value(key, each) for each in (_shown(content) if key == "fields" else content)]
    if isinstance(content, str) and (claims := _claims(content)):
        return {"claims of a JWT": {each: value(each, inner) for each, inner in claims.items()}}
    if key in KEYS and content not in (None, ""):
        return KEYS[key]
    if key in NUMBERS and isinstance(content, int):
        return "(number)"
    return _text(content) if isinstance(content, str) else content


def _shown(fields: list[Any]) -> list[Any]:
    """Of a form's fields those that people see, and of each what a client must know."""
    return [{key: each[key] for key in FIELD} for each in fields if each.get("exposed", True)]


def _text(text: str) -> str:
    for like, word in TEXTS:
        text = like.sub(word, text)
    return text


def _claims(token: str) -> Any:
    """What a JWT says, with the name of its algorithm."""
    if not re.fullmatch(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+", token):
        return None
    head, claims = (
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in token.split(".")[:2]
    )
    return {"alg": head["alg"], **claims}


def differences(real: Any, other: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two normal answers are not the same, and what each has there."""
    if isinstance(real, Mapping) and isinstance(other, Mapping):
        for key in [*real, *(each for each in other if each not in real)]:
            inner = f"{at}.{key}" if at else str(key)
            if key not in real or key not in other:
                yield inner, real.get(key, "(none)"), other.get(key, "(none)")
            else:
                yield from differences(real[key], other[key], inner)
    elif isinstance(real, list) and isinstance(other, list) and len(real) == len(other):
        for number, (one, two) in enumerate(zip(real, other, strict=True)):
            yield from differences(one, two, f"{at}[{number}]")
    elif isinstance(real, bool) is not isinstance(other, bool) or real != other:
        yield at, real, other
