"""What of an extension (``ext``) may stay: by allow-list, and a network's own parameters by their names.

Extensions hold whatever their sender likes, the parameters and ids of all networks among it. Invariant: what is not
named here, or by the policy, does not stay; of a network's own parameters nothing that is nested stays, since
nobody knows what is in it.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from targeting.openrtb.json import Raw, members

AllowList = Mapping[str, Any]
"""Allowed names; each leads to the names allowed below it, or to nothing where all of it is allowed."""

_NESTED: Final = (b"{", b"[")


@lru_cache(maxsize=64)
def parse_allow_list(names: tuple[str, ...]) -> AllowList:
    """Read names with dots between their levels. A name without anything below allows all that is below it."""
    tree: dict[str, Any] = {}
    for name in sorted(names, key=len, reverse=True):
        at = tree
        *above, last = name.split(".")
        for step in above:
            at = at.setdefault(step, {})
        at[last] = {}
    return tree


def select_allowed(there: Mapping[str, Raw], allowed: AllowList) -> dict[str, Any]:
    """Give the allowed members of an extension, in the order of the allow-list."""
    stays: dict[str, Any] = {}
    for name, below in allowed.items():
        if name not in there:
            continue
        if not below:
            stays[name] = there[name]
        elif is_object(there[name]) and (inner := select_allowed(members(there[name]), below)):
            stays[name] = inner
    return stays


def select_parameters(parameters: Raw, names: Iterable[str]) -> dict[str, Raw]:
    """Give those of a network's own parameters that have one of these names and are no object or array."""
    if not is_object(parameters):
        return {}
    there = members(parameters)
    return {name: there[name] for name in names if name in there and not bytes(there[name]).startswith(_NESTED)}


def is_object(value: Raw) -> bool:
    """Tell whether a value is an object."""
    return bytes(value).startswith(b"{")
