"""YAML as editors read it: the core of version 1.2, where `no` is a text and 8e3 a number."""

import re
from typing import Any

import yaml


class Loader(yaml.SafeLoader):
    """PyYAML's own loader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers = {}


for tag, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^({pattern})$"), list(first))


def _integer(loader: Any, node: Any) -> int:
    # 010 is ten in YAML 1.2.
    return int(node.value, 0) if node.value[:2] in ("0o", "0x") else int(node.value)


Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def load(data: bytes) -> Any:
    """The data of a file. Raises yaml.YAMLError."""
    return yaml.load(data, Loader)
