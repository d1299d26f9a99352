"""Extensions (``ext``): selected by allow-list, and a network's own parameters by name.

Extensions contain anything that their sender likes, including the parameters and ids of all networks. Invariant: only
members that an allow-list names are kept, and nested values of a network's own parameters are not, since their
content is unknown.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from targeting.openrtb.json import Raw, members

AllowList = Mapping[str, Any]
"""Allowed names, each mapped to the names allowed below it; an empty mapping allows the whole value."""

_NESTED: Final = (b"{", b"[")


@lru_cache(maxsize=64)
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


def select_allowed(extension: Mapping[str, Raw], allowed: AllowList) -> dict[str, Any]:
    """Return the allowed members of an extension, in the order of the allow-list."""
    selected: dict[str, Any] = {}
    for name, below in allowed.items():
        if name not in extension:
            continue
        if not below:
            selected[name] = extension[name]
        elif is_object(extension[name]) and (inner := select_allowed(members(extension[name]), below)):
            selected[name] = inner
    return selected


def select_parameters(parameters: Raw, names: Iterable[str]) -> dict[str, Raw]:
    """Return the network's own parameters that have one of these names and are neither object nor array."""
    if not is_object(parameters):
        return {}
    values = members(parameters)
    return {name: values[name] for name in names if name in values and not bytes(values[name]).startswith(_NESTED)}


def is_object(value: Raw) -> bool:
    """Whether a value is an object."""
    return bytes(value).startswith(b"{")
