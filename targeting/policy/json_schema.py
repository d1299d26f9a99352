"""The JSON Schema (draft 2020-12) of a policy file, made from the dataclasses that validate it.

For editors, which complete and check a file while it is written. It says what can be said of one value; that ids are
unique, for example, only ``policy_from`` checks. Invariant: it refuses no file that ``policy_from`` accepts.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, is_dataclass
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

from targeting.policy.policy import Policy
from targeting.policy.validation import settable_fields

Json = dict[str, Any]
Descriptions = Mapping[tuple[str, str], str]
"""What a key decides, by its table (``networks``; empty at the top) and its name."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Final = {bool: "boolean", int: "integer", float: "number", str: "string"}


def policy_schema(descriptions: Descriptions) -> Json:
    """Return the schema of a policy file."""
    return {"$schema": DIALECT, "title": "adtargeting policy", **_table(Policy, "", descriptions)}


def _table(shape: type, name: str, descriptions: Descriptions) -> Json:
    types = get_type_hints(shape)
    settings = settable_fields(shape)
    properties = {key: _key(types[key], setting, (name, key), descriptions) for key, setting in settings.items()}
    required = [
        key for key, setting in settings.items() if setting.default is MISSING and setting.default_factory is MISSING
    ]
    table: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return table | ({"required": required} if required else {})


def _key(expected: Any, setting: Field[Any], key: tuple[str, str], descriptions: Descriptions) -> Json:
    schema = _value(expected, setting, key[1], descriptions)
    if key in descriptions:
        schema["description"] = descriptions[key]
    if setting.default is not MISSING and setting.default is not None:
        schema["default"] = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    return schema


def _value(expected: Any, setting: Field[Any], name: str, descriptions: Descriptions) -> Json:
    arguments = get_args(expected)
    if is_dataclass(expected) and isinstance(expected, type):
        return _table(expected, name, descriptions)
    if get_origin(expected) is tuple:
        items = _value(arguments[0], setting, name, descriptions)
        least = setting.metadata.get("least", 0)
        return {"type": "array", "items": items} | ({"minItems": least} if least else {})
    if NoneType in arguments:
        return _value(arguments[0], setting, name, descriptions)
    if get_origin(expected) is not None:
        return _mapping(arguments[1], setting.metadata)
    return _scalar(expected, setting.metadata)


def _mapping(expected: Any, limits: Mapping[str, Any]) -> Json:
    keys: Json = (
        {"enum": sorted(limits["keys"])} if "keys" in limits else {"pattern": _whole(limits["key_pattern"].pattern)}
    )
    return {"type": "object", "propertyNames": keys, "additionalProperties": _scalar(expected, limits)}


def _scalar(expected: type, limits: Mapping[str, Any]) -> Json:
    schema: Json = {"type": _TYPES[expected]}
    if expected is not str:
        if "bounds" in limits and expected is not bool:
            schema["minimum"], schema["maximum"] = limits["bounds"]
        return schema
    if "allowed" in limits:
        schema["enum"] = list(limits["allowed"])
    if "pattern" in limits:
        schema["pattern"] = _whole(limits["pattern"].pattern)
    if forbidden := _forbidden(limits):
        schema["not"] = {"anyOf": [{"pattern": pattern} for pattern in forbidden]}
    return schema


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _forbidden(limits: Mapping[str, Any]) -> list[str]:
    """Return patterns of dotted names that must not be allowed, in any case of letters."""
    patterns = [f"(?:^|\\.){_in_any_case(name)}(?:\\.|$)" for name in sorted(limits.get("never_within", ()))]
    for name in limits.get("never", ()):
        first, *others = map(_in_any_case, name.split("."))
        ending = "(?:\\..*)?"
        for part in reversed(others):
            ending = f"(?:\\.{part}{ending})?"
        patterns.append(f"^{first}{ending}$")
    return patterns


def _in_any_case(name: str) -> str:
    # JSON Schema's patterns have no flags.
    return "".join(f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else letter for letter in name)
