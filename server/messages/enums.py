"""Enumerations between the core and the messages: the numbers are the same, only the types differ."""

from enum import IntEnum
from typing import Any


def enum(
    value: IntEnum | int,
) -> Any:  # the generated stubs have a type for each enumeration; a message takes a number
    """Return the number for a message's field."""
    return int(value)
