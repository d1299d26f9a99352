"""Extensions (``ext``): allow-lists by dotted name, and a network's own parameters by name.

Extensions contain anything that their sender likes, including the parameters and ids of all networks. Invariant: only
members that an allow-list names are kept, each with the type that it is known to have. A member of unknown type is
kept as a plain value, or a list of plain values; an object could contain anything.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from targeting.openrtb.json import Raw, members
from targeting.openrtb.schema import EXTENSIONS, Objects

AllowList = Mapping[str, Any]
"""Allowed names, each mapped to the names allowed below it; an empty mapping allows the whole value."""

_NESTED: Final = (b"{", b"[")
_UNKNOWN: Final[Mapping[str, str]] = {}


@lru_cache(maxsize=256)
def parse_allow_list(names: tuple[str, ...]) -> AllowList:
    """Parse dotted names. A name that is not continued by another allows everything below it."""
    allowed: dict[str, Any] = {}
    for name in sorted(names, key=len, reverse=True):
        level = allowed
        *parents, last = name.split(".")
        for parent in parents:
            level = level.setdefault(parent, {})
        level[last] = {}
    return allowed


def extension_objects(owner: str, names: tuple[str, ...]) -> Objects:
    """Return the types of an allowed extension: ``Imp.ext``, and ``Imp.ext.data`` where only some of it is allowed."""
    objects: dict[str, Mapping[str, str]] = {}
    path = f"{owner}.ext"
    _add_object(path, parse_allow_list(names), EXTENSIONS.get(path, _UNKNOWN), objects)
    return objects


def _add_object(path: str, allowed: AllowList, known: Mapping[str, str], objects: dict[str, Mapping[str, str]]) -> None:
    fields: dict[str, str] = {}
    for name, below in allowed.items():
        kind = known.get(name, "")
        if below and (not kind or kind in EXTENSIONS):
            fields[name] = f"{path}.{name}"
            _add_object(fields[name], below, EXTENSIONS.get(kind, _UNKNOWN), objects)
        else:
            fields[name] = kind or "plain"
    objects[path] = fields


def without_empty(extension: dict[str, Any]) -> dict[str, Any]:
    """Remove the empty objects from an extension, and return it."""
    for name, value in tuple(extension.items()):
        if type(value) is dict and not without_empty(value):
            del extension[name]
    return extension


def select_parameters(parameters: Raw, names: Iterable[str]) -> dict[str, Raw]:
    """Return the network's own parameters that have one of these names and are neither object nor array."""
    if not is_object(parameters):
        return {}
    values = members(parameters)
    return {name: values[name] for name in names if name in values and not bytes(values[name]).startswith(_NESTED)}


def is_object(value: Raw) -> bool:
    """Whether a value is an object."""
    return bytes(value).startswith(b"{")
