"""Strict conversion of parsed TOML to frozen dataclasses.

An unknown key, a wrong type or a value out of bounds is an error. Constraints beyond the type are declared in the
field's metadata with the functions below. This module knows the types that a policy uses, not their meaning.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Metadata = dict[str, object]

_SCALARS = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


class PolicyError(ValueError):
    """An invalid policy. ``key`` is the path of the invalid key, ``problem`` the limit that it breaks."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem


def bounds(low: float, high: float) -> Metadata:
    """Constrain a number to a range, both ends included."""
    return {"bounds": (low, high)}


def one_of(*values: str) -> Metadata:
    """Constrain a string to a list of values."""
    return some_of(values, "")


def some_of(values: Iterable[str], meaning: str) -> Metadata:
    """Constrain every string of a list to known values; ``meaning`` describes them where the list is long."""
    return {"allowed": tuple(values), "meaning": meaning}


def matches(pattern: str, meaning: str) -> Metadata:
    """Constrain a string, or every string of a list, to a full match of a pattern; ``meaning`` describes it."""
    return {"pattern": re.compile(pattern), "meaning": meaning}


def never(*names: str) -> Metadata:
    """Forbid dotted names in a list: each of ``names``, its ancestors and its descendants."""
    return {"never": names}


def never_within(*names: str) -> Metadata:
    """Forbid names in a list of dotted names: no part of any may be one of these, regardless of case."""
    return {"never_within": frozenset(names)}


def at_least(items: int) -> Metadata:
    """Constrain a list to a minimum number of items."""
    return {"least": items}


def keyed_by(values: Iterable[str], meaning: str) -> Metadata:
    """Constrain the keys of a table to known values; ``meaning`` describes them."""
    return {"keys": frozenset(values), "meaning": meaning}


def keys_matching(pattern: str, meaning: str) -> Metadata:
    """Constrain the keys of a table to a full match of a pattern; ``meaning`` describes them."""
    return {"key_pattern": re.compile(pattern), "meaning": meaning}


def settable_fields(shape: type) -> dict[str, Field[Any]]:
    """Return the fields that a file may set: all but the derived ones."""
    return {setting.name: setting for setting in fields(shape) if not setting.metadata.get("derived")}


def read_dataclass(shape: type[T], table: Mapping[str, object], path: str = "") -> T:
    """Build the dataclass ``shape`` from a TOML table. Raises ``PolicyError``."""
    known, types = settable_fields(shape), get_type_hints(shape)
    values = {}
    for key, value in table.items():
        key_path = f"{path}.{key}" if path else key
        if key not in known:
            raise PolicyError(key_path, f"unknown key; {_proposal(key, known)}")
        values[key] = _value(types[key], value, key_path, known[key])
    for name, setting in known.items():
        if name not in values and setting.default is MISSING and setting.default_factory is MISSING:
            raise PolicyError(f"{path}.{name}", "is required")
    return shape(**values)


def _proposal(unknown: str, known: Iterable[str]) -> str:
    """Return the key that was probably meant, or all keys if none is similar."""
    similar = get_close_matches(unknown, known, n=1)
    return f"did you mean {similar[0]}?" if similar else f"use one of: {', '.join(sorted(known))}"


def _value(expected: Any, value: object, path: str, setting: Field[Any]) -> object:
    origin, arguments = get_origin(expected), get_args(expected)
    if is_dataclass(expected):
        return read_dataclass(cast("type[object]", expected), _table(value, path), path)
    if origin is tuple:
        return _list(arguments[0], value, path, setting)
    if expected in _SCALARS:
        return _scalar(expected, value, path, setting)
    if type(None) in arguments:
        return _value(arguments[0], value, path, setting)
    return _mapping(arguments[1], _table(value, path), path, setting)


def _table(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise PolicyError(path, "must be a table")
    return value


def _list(expected: Any, value: object, path: str, setting: Field[Any]) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise PolicyError(path, "must be a list")
    if len(value) < setting.metadata.get("least", 0):
        raise PolicyError(path, "must not be empty")
    return tuple(_value(expected, item, f"{path}[{index}]", setting) for index, item in enumerate(value))


def _mapping(expected: Any, value: Mapping[str, object], path: str, setting: Field[Any]) -> Mapping[str, object]:
    for key in value:
        if not _is_known_key(key, setting.metadata):
            raise PolicyError(f"{path}.{key}", f"unknown key; use {setting.metadata['meaning']}")
    return MappingProxyType({key: _scalar(expected, item, f"{path}.{key}", setting) for key, item in value.items()})


def _is_known_key(key: str, limits: Mapping[str, Any]) -> bool:
    if "key_pattern" in limits:
        return limits["key_pattern"].fullmatch(key) is not None
    return key in limits["keys"]


def _scalar(expected: type, value: object, path: str, setting: Field[Any]) -> object:
    # TOML distinguishes 1, 1.0 and true; an integer is accepted where a float is expected.
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected:
        raise PolicyError(path, f"must be {_SCALARS[expected]}")
    if isinstance(value, str):
        _check_text(value, path, setting.metadata)
    elif isinstance(value, int | float) and "bounds" in setting.metadata:
        low, high = setting.metadata["bounds"]
        if not low <= value <= high:
            raise PolicyError(path, f"must be between {low} and {high}")
    return value


def _check_text(value: str, path: str, limits: Mapping[str, Any]) -> None:
    if "allowed" in limits and value not in limits["allowed"]:
        raise PolicyError(path, f"must be one of: {limits['meaning'] or ', '.join(limits['allowed'])}")
    if "pattern" in limits and not limits["pattern"].fullmatch(value):
        raise PolicyError(path, f"must be {limits['meaning']}")
    for part in value.casefold().split("."):
        if part in limits.get("never_within", ()):
            raise PolicyError(path, f"must not contain {part}, which names a person or a device")
    for name in limits.get("never", ()):
        # A receiver may compare names without regard to case.
        spelt, banned = f"{value.casefold()}.", f"{name.casefold()}."
        if banned.startswith(spelt) or spelt.startswith(banned):
            raise PolicyError(path, f"must not allow {name}")
