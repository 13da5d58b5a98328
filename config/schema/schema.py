"""The JSON schema of tenant files (draft-07), for editors: made from the keys, their manual and the releases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.reading.keys import Entry, Key, entries
from config.reading.nodes import join
from config.releases.release import Release, ReleaseService
from config.schema import manual
from config.schema.shapes import Shape, shape
from config.tenant import own_settings, worker_groups
from config.tenant.sections import Size, WorkerGroup
from config.tenant.tenant import Tenant
from config.tenant.tenant_file import OWN_IMAGE
from config.values import names

FILE = Path(__file__).parents[1] / "tenant.schema.json"
# How a tenant file, which lies in tenants/, names it to an editor.
LINE = f"# yaml-language-server: $schema=../config/{FILE.name}"
_TYPES = {"text": "string", "a number": "integer", "a list": "array"}


def text(releases: Mapping[str, Release]) -> str:
    """The schema as its file."""
    return json.dumps(document(releases), indent=2, ensure_ascii=False) + "\n"


def document(releases: Mapping[str, Release]) -> Shape:
    """The schema of a tenant's file when there are these releases."""
    whole = _section(Tenant, manual.comments())
    whole["properties"]["release"]["enum"] = sorted(releases)
    usual = entries(Tenant)["release"].default
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A tenant: one private Open edX portal",
        "$comment": "Made by config/schema/schema.py; UPDATE_PLANS=1 ./portal test tests/unit/config/schema/test_schema.py makes it anew",
        **whole,
        "allOf": [*_mail(), _openedx(), *(_release(each, each.name == usual) for each in releases.values())],
    }


def _section(cls: type[Any], docs: Mapping[str, str], path: str = "") -> Shape:
    known = entries(cls)
    required = [name for name, entry in known.items() if _required(entry)]
    return {
        # A section with nothing in it is as good as absent.
        "type": "object" if required else ["object", "null"],
        **({"description": docs[path]} if path else {}),
        "properties": {name: _entry(entry, docs, join(path, name)) for name, entry in known.items()},
        "required": required,
        "additionalProperties": False,
    }


def _required(entry: Entry) -> bool:
    below = entries(entry.section).values() if entry.section else ()
    return entry.required or any(_required(each) for each in below)


def _entry(entry: Entry, docs: Mapping[str, str], path: str) -> Shape:
    if entry.section:
        return _section(entry.section, docs, path)
    assert entry.key
    if entry.key.kind == "keys":
        # What may stand in it is the release's to say, or Open edX's.
        own = _own(path) if path in own_settings.KEYS else {}
        return {"type": ["object", "null"], "description": docs[path], **own, "default": {}}
    default = {} if entry.required else {"default": list(entry.default) if _is_list(entry) else entry.default}
    return {**value_schema(entry.key, docs[path]), **default}


def _own(path: str) -> Shape:
    value = {"additionalProperties": {"not": {"type": "null"}}} if path == "features" else {}
    program = (
        {"not": {"enum": sorted((*own_settings.PROTECTED_LAYER, "FEATURES"))}} if path == "settings" else {}
    )
    return {"propertyNames": {"pattern": f"^{own_settings.NAME.pattern}$", **program}, **value}


def _is_list(entry: Entry) -> bool:
    return isinstance(entry.default, tuple)


def value_schema(key: Key, doc: str) -> Shape:
    """One value."""
    entry: Shape = {"type": _TYPES[key.kind], "description": doc}
    if key.kind == "a list":
        items = str(key.example).strip("[]").split(", ")
        return {**entry, "items": {"type": "string", **shape(key.check)}, "examples": [items]}
    return {**entry, **shape(key.check), "examples": [key.example]}


def _when(condition: Shape, then: Shape) -> Shape:
    return {"if": condition, "then": then}


def _openedx() -> Shape:
    """An openedx image of one's own is only for public images."""
    public = {"properties": {"images": {"const": "hub"}}, "required": ["images"]}
    none = {"properties": {"openedx": {"maxLength": 0}}}
    return {"if": public, "else": none}


def _mail() -> list[Shape]:
    """Each way of the mail has keys of its own, which must be said for it and for no other."""
    required = {"minLength": 1}
    unsaid = {"maxLength": 0}
    shapes = []
    for way, section, keys in (
        ("sink", "hosts", ("mail",)),
        ("smarthost", "mail", ("smarthost", "username")),
    ):
        chosen = {
            "properties": {
                "mail": {
                    "type": "object",
                    "properties": {"delivery": {"const": way}},
                    "required": ["delivery"],
                }
            },
            "required": ["mail"],
        }
        required_keys = {"properties": dict.fromkeys(keys, required), "required": [*keys]}
        none = {"properties": dict.fromkeys(keys, unsaid)}
        shapes.append(
            {
                **_when(chosen, {"properties": {section: required_keys}}),
                "else": {"properties": {section: none}},
            }
        )
    return shapes


def _release(release: Release, usual: bool) -> Shape:
    """What a tenant of that release may say of its services; `usual` is the one of a file that names none."""
    condition: Shape = {"properties": {"release": {"const": release.name}}}
    if not usual:
        condition["required"] = ["release"]
    services = release.services
    images = {
        name: value_schema(OWN_IMAGE, f"{OWN_IMAGE.doc} {name} of {release.name}.") for name in services
    }
    sizes = {name: _size(service) for name, service in services.items()}
    return _when(
        condition,
        {
            "properties": {
                "service_images": {"properties": images, "additionalProperties": False},
                "sizes": {"properties": sizes, "additionalProperties": False},
                "worker_groups": _groups(release),
            }
        },
    )


def _size(service: ReleaseService) -> Shape:
    known = entries(Size)
    memory, workers = known["memory"].key, known["workers"].key
    assert memory
    assert workers
    public = service.least_memory("hub")
    more = f", with images: hub {public}MiB" if public != service.memory_min else ""
    doc = f"{memory.doc} At least {service.memory_min}MiB{more}."
    if service.workers:
        own, hub = service.memory_each, service.hub.memory_each
        each = f"{own}MiB more, with images: hub {hub}MiB" if own else f"{hub}MiB more"
        doc += f" Each process beyond {service.workers} needs {each}."
    properties = {"memory": {**value_schema(memory, doc), "default": f"{service.memory}MiB"}}
    if service.workers:
        properties["workers"] = {**value_schema(workers, workers.doc), "default": service.workers}
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _groups(release: Release) -> Shape:
    """A group takes some of a service's queues and leaves it one."""
    patterns = {}
    for of in names.WORKERS:
        queues = list(release.services[of].queues) if of in release.services else []
        properties = {name: value_schema(entry.key, entry.key.doc) for name, entry in _keys(WorkerGroup)}
        if queues:
            properties["queues"] |= {"items": {"enum": queues}, "maxItems": len(queues) - 1}
        properties["queues"] |= {"minItems": 1, "uniqueItems": True}
        patterns[f"^{of}-[a-z0-9]+(-[a-z0-9]+)*$"] = {
            "type": "object",
            "properties": properties,
            "required": ["queues"],
            "additionalProperties": False,
        }
    return {
        "patternProperties": patterns,
        "propertyNames": {"maxLength": names.LONGEST_GROUP},
        "maxProperties": worker_groups.MOST,
        "additionalProperties": False,
    }


def _keys(cls: type[Any]) -> list[tuple[str, Any]]:
    return list(entries(cls).items())
