"""The JSON Schema (draft 2020-12) of a file of settings, made from the dataclass that reads it.

Invariant: it refuses no file that ``read_settings`` accepts.
"""

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any, get_type_hints

from server.settings import MOST_PROCESSES, PREFIX, Settings, secret_files
from targeting.policy.json_schema import DIALECT, Json


def settings_schema(descriptions: Mapping[str, str]) -> Json:
    """Return the schema of a file of settings; ``descriptions`` is what each setting means, by its full name."""
    types = get_type_hints(Settings)
    properties = {}
    for setting in fields(Settings):
        name = PREFIX + setting.name.upper()
        properties[name] = _setting(types[setting.name], setting) | {"description": descriptions.get(name, "")}
    for file, name in secret_files().items():
        properties[file] = {"type": "string", "default": "", "description": f"a file that contains {name}"}
    return {
        "$schema": DIALECT,
        "title": "adtargeting settings",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _setting(expected: type, setting: Field[Any]) -> Json:
    limits = setting.metadata
    if "processes" in limits:
        return _number_or_text((1, MOST_PROCESSES), "^(auto|[0-9]+)$") | {"default": setting.default}
    if expected is not int:
        choices: Json = {"enum": list(limits["choices"])} if "choices" in limits else {}
        return {"type": "string", "default": str(setting.default)} | choices
    return _number_or_text(limits["bounds"], r"^\s*[+-]?[0-9_]+\s*$") | {"default": setting.default}


def _number_or_text(bounds: tuple[int, int], pattern: str) -> Json:
    """Return the schema of a number: the environment has texts only, so a file may have one, too."""
    number = {"type": "integer", "minimum": bounds[0], "maximum": bounds[1]}
    return {"anyOf": [number, {"type": "string", "pattern": pattern}]}
