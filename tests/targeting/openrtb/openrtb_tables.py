"""Check a bid request against the field tables of OpenRTB 2.6 (``tests/data/openrtb/fields-2.6.json``).

A violation is a JSON path and what is wrong there, never the value. Extensions (``ext``) hold anything. The
specification asks receivers to tolerate unknown fields; a check of what we send ourselves should not.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

_TABLES = Path(__file__).parents[2] / "data" / "openrtb" / "fields-2.6.json"


class Field(TypedDict, total=False):
    """One row of a table."""

    type: str
    object: str
    array: bool
    required: bool
    deprecated: bool


class Tables(TypedDict):
    """The file."""

    root: str
    exclusive: dict[str, list[list[str]]]
    any_of: dict[str, list[list[str]]]
    not_empty: dict[str, list[str]]
    objects: dict[str, dict[str, Field]]


TABLES: Tables = json.loads(_TABLES.read_text(encoding="utf-8"))

_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "float": (int, float),
    "object": (dict,),
}


def validate(bid_request: object, *, unknown_allowed: bool = False) -> list[str]:
    """Return every violation, in the order of the document; an empty list for a valid bid request."""
    return list(_value(bid_request, {"type": "object", "object": TABLES["root"]}, "$", unknown_allowed=unknown_allowed))


def _value(value: object, field: Field, path: str, *, unknown_allowed: bool) -> Iterator[str]:
    if field.get("array"):
        if not isinstance(value, list):
            yield f"{path}: not an array"
            return
        item: Field = {**field, "array": False}
        for index, each in enumerate(value):
            yield from _value(each, item, f"{path}[{index}]", unknown_allowed=unknown_allowed)
    elif isinstance(value, bool) or not isinstance(value, _PYTHON[field["type"]]):
        yield f"{path}: not of type {field['type']}"
    elif isinstance(value, dict) and "object" in field:
        yield from _object(value, field["object"], path, unknown_allowed=unknown_allowed)


def _object(value: dict[str, Any], name: str, path: str, *, unknown_allowed: bool) -> Iterator[str]:
    fields = TABLES["objects"][name]
    for key, each in value.items():
        if key in fields:
            yield from _value(each, fields[key], f"{path}.{key}", unknown_allowed=unknown_allowed)
        elif not unknown_allowed:
            yield f"{path}.{key}: not a field of {name}"
    for key, field in fields.items():
        if field.get("required") and key not in value:
            yield f"{path}.{key}: missing"
    yield from _combinations(value, name, path)


def _combinations(value: dict[str, Any], name: str, path: str) -> Iterator[str]:
    for group in TABLES["exclusive"].get(name, ()):
        if len(present := [key for key in group if key in value]) > 1:
            yield f"{path}: only one of {', '.join(present)}"
    for group in TABLES["any_of"].get(name, ()):
        if not any(key in value for key in group):
            yield f"{path}: none of {', '.join(group)}"
    for key in TABLES["not_empty"].get(name, ()):
        if value.get(key) == []:
            yield f"{path}.{key}: empty"
