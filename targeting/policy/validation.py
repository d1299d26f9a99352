"""From parsed TOML to frozen dataclasses, strictly: an unknown key, a wrong type or an impossible value is an error.

Knows the shapes a policy uses and nothing of what they mean. What a value must be beyond its type stands in the
field's metadata, written with the functions below.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Metadata = dict[str, object]

_PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


class PolicyError(ValueError):
    """A policy that cannot be used. ``key`` is the path of the offending key."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem


def bounds(low: float, high: float) -> Metadata:
    """State that a number lies within these bounds, both included."""
    return {"bounds": (low, high)}


def one_of(*values: str) -> Metadata:
    """State that a string is one of these."""
    return some_of(values, "")


def some_of(values: Iterable[str], meaning: str) -> Metadata:
    """State that every string of a list is one of these; ``meaning`` says what they are when they are too many."""
    return {"allowed": tuple(values), "meaning": meaning}


def matches(pattern: str, meaning: str) -> Metadata:
    """State that a string, or every string of a list, matches this pattern as a whole."""
    return {"pattern": re.compile(pattern), "meaning": meaning}


def never(*names: str) -> Metadata:
    """State that no string of a list, a name with dots between its levels, is, holds or is part of one of these."""
    return {"never": names}


def at_least(items: int) -> Metadata:
    """State that a list is not shorter than this."""
    return {"least": items}


def keyed_by(values: Iterable[str], meaning: str) -> Metadata:
    """State that every key of a table is one of these."""
    return {"keys": frozenset(values), "meaning": meaning}


def settable_fields(shape: type) -> dict[str, Field[Any]]:
    """Give the fields that a file may state: all but the derived ones."""
    return {each.name: each for each in fields(shape) if not each.metadata.get("derived")}


def read_dataclass(shape: type[T], data: Mapping[str, object], path: str = "") -> T:
    """Build the dataclass ``shape`` from a table. Raises ``PolicyError``."""
    known, types = settable_fields(shape), get_type_hints(shape)
    values = {}
    for key, value in data.items():
        at = f"{path}.{key}" if path else key
        if key not in known:
            raise PolicyError(at, f"unknown key; known here: {', '.join(sorted(known))}")
        values[key] = _value(types[key], value, at, known[key])
    for name, each in known.items():
        if name not in values and each.default is MISSING and each.default_factory is MISSING:
            raise PolicyError(f"{path}.{name}", "is required")
    return shape(**values)


def _value(wanted: Any, value: object, at: str, of: Field[Any]) -> object:
    origin, arguments = get_origin(wanted), get_args(wanted)
    if is_dataclass(wanted):
        return read_dataclass(cast("type[object]", wanted), _table(value, at), at)
    if origin is tuple:
        return _list(arguments[0], value, at, of)
    if wanted in _PLAIN:
        return _plain(wanted, value, at, of)
    if type(None) in arguments:
        return _value(arguments[0], value, at, of)
    return _mapping(arguments[1], _table(value, at), at, of)


def _table(value: object, at: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise PolicyError(at, "must be a table")
    return value


def _list(wanted: Any, value: object, at: str, of: Field[Any]) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise PolicyError(at, "must be a list")
    if len(value) < of.metadata.get("least", 0):
        raise PolicyError(at, "must not be empty")
    return tuple(_value(wanted, item, f"{at}[{index}]", of) for index, item in enumerate(value))


def _mapping(wanted: Any, value: Mapping[str, object], at: str, of: Field[Any]) -> Mapping[str, object]:
    for key in value:
        if key not in of.metadata["keys"]:
            raise PolicyError(f"{at}.{key}", f"unknown key; wanted are {of.metadata['meaning']}")
    return MappingProxyType({key: _plain(wanted, item, f"{at}.{key}", of) for key, item in value.items()})


def _plain(wanted: type, value: object, at: str, of: Field[Any]) -> object:
    # TOML tells 1 from 1.0 and true from 1; a whole number may stand for a number.
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise PolicyError(at, f"must be {_PLAIN[wanted]}")
    if isinstance(value, str):
        _check_text(value, at, of.metadata)
    elif isinstance(value, int | float) and "bounds" in of.metadata:
        low, high = of.metadata["bounds"]
        if not low <= value <= high:
            raise PolicyError(at, f"must be between {low} and {high}")
    return value


def _check_text(value: str, at: str, limits: Mapping[str, Any]) -> None:
    if "allowed" in limits and value not in limits["allowed"]:
        raise PolicyError(at, f"must be one of: {limits['meaning'] or ', '.join(limits['allowed'])}")
    if "pattern" in limits and not limits["pattern"].fullmatch(value):
        raise PolicyError(at, f"must be {limits['meaning']}")
    for name in limits.get("never", ()):
        # Whoever reads what goes out may ignore the case of letters.
        spelt, banned = f"{value.casefold()}.", f"{name.casefold()}."
        if banned.startswith(spelt) or spelt.startswith(banned):
            raise PolicyError(at, f"must not let {name} through")
