"""Types of a bid request's fields (OpenRTB 2.6, section 3.2): their check, and the selection of well-typed fields.

A field of another type is left out, and ``null`` and ``[]`` in place of an object count as absent: neither refuses a
request. Privacy signals have no type here; ``targeting.openrtb.signals`` reads them from the original request.

Invariant: every field of the table that a selected object contains has its type; unknown members are not read again.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from targeting.openrtb.field_types import struct_of
from targeting.openrtb.json_errors import BidRequestRefused
from targeting.openrtb.schema import OBJECTS, Objects, element_of

MAX_IMPRESSIONS: Final = 256
"""Impressions per request; a page or a commercial break has a few dozen."""

Selector = Callable[[Any], Any]
"""Returns the well-typed part of a value, or None."""

_MAX_FLOAT: Final = 1.7976931348623157e308
_PLAIN_TYPES: Final = frozenset({str, int, float, bool})
_BID_REQUEST: Final = struct_of("BidRequest", OBJECTS)


def check_impressions(bid_request: Mapping[str, Any]) -> None:
    """Check the number of impressions. Raises ``BidRequestRefused``."""
    impressions = bid_request.get("imp")
    if type(impressions) is not list or not 0 < len(impressions) <= MAX_IMPRESSIONS:
        raise BidRequestRefused("$.imp", f"must contain 1 to {MAX_IMPRESSIONS} impressions")


def is_well_typed(bid_request: Mapping[str, Any]) -> bool:
    """Whether every field that the specification defines has its type."""
    try:
        msgspec.convert(bid_request, _BID_REQUEST)
    except msgspec.ValidationError:
        return False
    return True


def select_well_typed(bid_request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bid request without its ill-typed fields. Raises ``BidRequestRefused`` when no impression is left."""
    selected: dict[str, Any] = {}
    for name, value in bid_request.items():
        member = {name: value}
        # The check is much faster than the selection, and most members pass it.
        selected |= member if is_well_typed(member) else _select_bid_request(member)
    check_impressions(selected)
    return selected


def selector_of(kind: str, objects: Objects) -> Selector:
    """Return a selector of the well-typed fields of an object, or of an array of objects (``[Imp]``)."""
    return _selector(kind, objects, {})


def _selector(kind: str, objects: Objects, made: dict[str, Selector]) -> Selector:
    element = element_of(kind)
    if element in objects and element not in made:
        fields: dict[str, Selector] = {}
        made[element] = _fields_selector(fields)
        fields |= {name: _selector(below, objects, made) for name, below in objects[element].items()}
    select = made[element] if element in objects else _SELECTORS[element]
    return _items_selector(select) if kind.startswith("[") else select


def _fields_selector(fields: Mapping[str, Selector]) -> Selector:
    def select(value: Any) -> dict[str, Any] | None:
        if type(value) is not dict:
            return None
        return {
            name: selected
            for name, field in value.items()
            if name in fields and (selected := fields[name](field)) is not None
        }

    return select


def _items_selector(select: Selector) -> Selector:
    def select_items(value: Any) -> list[Any] | None:
        if type(value) is not list:
            return None
        return [selected for item in value if (selected := select(item)) is not None]

    return select_items


def _whole_number(value: Any) -> int | None:
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def _number(value: Any) -> float | None:
    return value if type(value) in {int, float} and -_MAX_FLOAT <= value <= _MAX_FLOAT else None


def _plain(value: Any) -> Any:
    if type(value) is list:
        return [item for item in value if type(item) in _PLAIN_TYPES]
    return value if type(value) in _PLAIN_TYPES else None


_SELECTORS: Final[Mapping[str, Selector]] = {
    "any": lambda value: value,
    "bool": lambda value: value if type(value) is bool else None,
    "float": _number,
    "int": _whole_number,
    "object": lambda value: value if type(value) is dict else None,
    "plain": _plain,
    "str": lambda value: value if type(value) is str else None,
}
_select_bid_request: Final = selector_of("BidRequest", OBJECTS)
