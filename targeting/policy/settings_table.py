"""A policy as the table that its file would hold, every setting said. ``policy_from`` reads it back."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from targeting.policy.policy import Policy
from targeting.policy.validation import settable_fields


def settings_table(policy: Policy) -> dict[str, object]:
    """Return the settings by table and key, in types of JSON and TOML; a setting without a value is left out."""
    return _table(policy)


def _table(settings: Any) -> dict[str, object]:
    values = {name: getattr(settings, name) for name in settable_fields(type(settings))}
    return {name: _value(value) for name, value in values.items() if value is not None}


def _value(value: object) -> object:
    if is_dataclass(value):
        return _table(value)
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value
