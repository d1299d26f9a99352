"""Types for ``msgspec``, made from the tables of fields.

A type is named as in the tables: ``Imp``, or ``[Imp]`` for an array. Invariant: what a type does not name is skipped
in reading, so it cannot be sent.
"""

from collections.abc import Mapping
from types import GenericAlias
from typing import Any, Final, TypedDict

import msgspec
from msgspec import Raw

from targeting.openrtb.schema import Objects, element_of

_CHECKED: Final[Mapping[str, Any]] = {
    "any": Raw,
    "bool": bool,
    "float": float,
    "int": int,
    "plain": str | int | float | bool | list[str | int | float | bool],
    "str": str,
}
"""``plain`` is a value, or a list of values, without an object in it."""
_CONVERTED: Final[Mapping[str, Any]] = {**_CHECKED, "any": Any, "object": dict}
_typed_dict: Final[Any] = TypedDict


def struct_of(name: str, objects: Objects) -> type[msgspec.Struct]:
    """Return a type to check the fields of an object with; none is required."""
    return _struct(name, objects, {})


def dict_of(kind: str, objects: Objects) -> Any:
    """Return a type to read objects with, as dicts of their fields.

    Fields of the specification keep their bytes (``Raw``); those of extensions (``Imp.ext``) are checked.
    """
    return _array_if(kind, _dict(element_of(kind), objects, {}, in_extension=_is_extension(kind)))


def _struct(name: str, objects: Objects, made: dict[str, type[msgspec.Struct]]) -> type[msgspec.Struct]:
    if name not in made:
        fields = []
        for field, kind in objects[name].items():
            element = element_of(kind)
            form = _struct(element, objects, made) if element in objects else _CONVERTED[element]
            fields.append((field, _array_if(kind, form), None))
        made[name] = msgspec.defstruct(name, fields, gc=False)
    return made[name]


def _dict(name: str, objects: Objects, made: dict[tuple[str, bool], Any], *, in_extension: bool) -> Any:
    key = name, in_extension
    if key not in made:
        fields = {}
        for field, kind in objects[name].items():
            element = element_of(kind)
            if element in objects:
                below = _dict(element, objects, made, in_extension=in_extension or _is_extension(element))
                fields[field] = _array_if(kind, below)
            else:
                fields[field] = _array_if(kind, _CHECKED[element]) if in_extension else Raw
        made[key] = _typed_dict(name, fields, total=False)
    return made[key]


def _is_extension(name: str) -> bool:
    return ".ext" in name


def _array_if(kind: str, form: Any) -> Any:
    return GenericAlias(list, form) if kind.startswith("[") else form
