"""The keys of a policy file as the code has them: what ``docs/policy.md`` must say."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, is_dataclass
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from targeting.policy.policy import GDPR_COUNTRIES, Policy
from targeting.policy.validation import settable_fields

_TYPES = {bool: "true or false", int: "whole number", float: "number", str: "text"}


class Key(NamedTuple):
    """One key: its table, its name, and what the documentation says of it but for its meaning."""

    table: str
    name: str
    kind: str
    default: str
    allowed: str


def keys(shape: type = Policy, table: str = "") -> Iterator[Key]:
    """Every key of a policy file, table by table."""
    types = get_type_hints(shape)
    inner = []
    for name, field in settable_fields(shape).items():
        wanted = types[name]
        of = get_args(wanted)[0] if get_origin(wanted) is tuple else wanted
        if is_dataclass(of) and isinstance(of, type):
            inner.append((of, f"[[{name}]]" if of is not wanted else f"[{name}]"))
        else:
            yield Key(table, name, _kind(wanted, field), _default(field), _allowed(field))
    for each, heading in inner:
        yield from keys(each, heading)


def _kind(wanted: Any, field: Field[Any]) -> str:
    arguments = get_args(wanted)
    if get_origin(wanted) is tuple:
        return f"list of {_TYPES[arguments[0]]}".replace("list of text", "list of texts").replace("number", "numbers")
    if NoneType in arguments:
        return _TYPES[arguments[0]]
    if get_origin(wanted) is not None:
        by = "subdivision" if "key_pattern" in field.metadata else "country"
        return f"table: {_TYPES[arguments[1]]} by {by}"
    return _TYPES[wanted]


def _default(field: Field[Any]) -> str:
    if field.default is MISSING:
        return "required" if field.default_factory is MISSING else "none"
    value = field.default
    if value == GDPR_COUNTRIES:
        return "see below"
    if value in {None, ()}:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`" if value != "" else "empty"


def _allowed(field: Field[Any]) -> str:
    limits: Mapping[str, Any] = field.metadata
    said = []
    if "bounds" in limits:
        low, high = limits["bounds"]
        said.append(f"{low} to {high}")
    if "allowed" in limits:
        few = limits["allowed"] if not limits["meaning"] else ()
        said.append(", ".join(f"`{each}`" for each in few) or limits["meaning"])
    elif "pattern" in limits:
        said.append(limits["meaning"])
    if "never" in limits:
        said.append("never " + ", ".join(f"`{each}`" for each in limits["never"]))
    if "never_within" in limits:
        said.append("no personal name")
    if "keys" in limits or "key_pattern" in limits:
        said.append(f"keys: {limits['meaning']}")
    if limits.get("least"):
        said.append("not empty")
    return "; ".join(said)


def _keys_of_tables() -> dict[str, set[str]]:
    tables: dict[str, set[str]] = {}
    for key in keys():
        tables.setdefault(key.table.strip("[]") or key.name, set()).add(key.name)
    return tables


KEYS_OF_TABLES = _keys_of_tables()
"""The top-level keys of a file, and the keys below each."""
