"""From parsed TOML to frozen dataclasses, strictly: an unknown key, a wrong type or an impossible value is an error.

Knows the shapes a policy uses and nothing of what they mean.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

_PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


class PolicyError(ValueError):
    """A policy that cannot be used. ``key`` is the path of the offending key."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem


def bounds(low: float, high: float) -> dict[str, object]:
    """State that a number lies within these bounds, both included."""
    return {"bounds": (low, high)}


def one_of(*values: str) -> dict[str, object]:
    """State that a string is one of these."""
    return {"allowed": values}


def some_of(values: Iterable[str]) -> dict[str, object]:
    """State that every string of a list is one of these."""
    return {"allowed": tuple(values)}


def read(shape: type[T], data: Mapping[str, object], path: str = "") -> T:
    """Build the dataclass ``shape`` from a table. Raises ``PolicyError``."""
    # A dataclass type in, an instance of it out: the type system cannot say "T is a dataclass".
    known = {each.name: each for each in fields(cast("Any", shape)) if not each.metadata.get("derived")}
    types = get_type_hints(shape)
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
        return read(cast("type[object]", wanted), _table(value, at), at)
    if origin is tuple:
        return _list(arguments[0], value, at, of)
    if origin is UnionType:
        return _value(next(each for each in arguments if each is not NoneType), value, at, of)
    if wanted not in _PLAIN:
        return _mapping(arguments[1], _table(value, at), at, of)
    return _plain(wanted, value, at, of)


def _table(value: object, at: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise PolicyError(at, "must be a table")
    return value


def _list(wanted: Any, value: object, at: str, of: Field[Any]) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise PolicyError(at, "must be a list")
    return tuple(_value(wanted, item, f"{at}[{index}]", of) for index, item in enumerate(value))


def _mapping(wanted: Any, value: Mapping[str, object], at: str, of: Field[Any]) -> Mapping[str, object]:
    allowed = cast("Container[str]", of.metadata["keys"])
    for key in value:
        if key not in allowed:
            raise PolicyError(f"{at}.{key}", "unknown key; an ISO 3166-1 alpha-2 country code is expected")
    return MappingProxyType({key: _plain(wanted, item, f"{at}.{key}", of) for key, item in value.items()})


def _plain(wanted: Any, value: object, at: str, of: Field[Any]) -> object:
    # TOML tells 1 from 1.0 and true from 1; a whole number may stand for a number.
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise PolicyError(at, f"must be {_PLAIN[wanted]}")
    _check_limits(value, at, of)
    return value


def _check_limits(value: object, at: str, of: Field[Any]) -> None:
    if isinstance(value, int | float) and "bounds" in of.metadata:
        low, high = of.metadata["bounds"]
        if not low <= value <= high:
            raise PolicyError(at, f"must be between {low} and {high}")
    if isinstance(value, str) and "allowed" in of.metadata and value not in of.metadata["allowed"]:
        allowed = of.metadata["allowed"]
        names = ", ".join(allowed) if len(allowed) <= 12 else "an ISO 3166-1 alpha-2 country code"
        raise PolicyError(at, f"must be one of: {names}")
