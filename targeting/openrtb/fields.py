"""Check of a bid request's fields against the types of OpenRTB 2.6 (section 3.2).

Fields that the specification does not define may contain anything.

Invariant: an error names the path and the type, never the value. Privacy signals have no type here: a signal of the
wrong type limits a request and does not refuse it (``targeting.openrtb.signals``).
"""

import re
from collections.abc import Mapping
from types import GenericAlias
from typing import Any, Final

import msgspec

from targeting.openrtb.json_errors import BidRequestRefused
from targeting.openrtb.schema import OBJECTS

MAX_IMPRESSIONS: Final = 256
"""Impressions per request; a page or a commercial break has a few dozen."""

_PLACES: Final = ("site", "app", "dooh")
"""Where the ads are shown: at most one of these may be present (section 3.2.1)."""

_PLAIN: Final[Mapping[str, Any]] = {"str": str, "int": int, "float": float, "any": Any, "object": dict}

_WRONG_TYPE: Final = re.compile(r"Expected `([a-z]+)`, got `([a-z]+)`(?: - at `(\$.*)`)?")
_OUT_OF_RANGE: Final = re.compile(r"Number out of range(?: - at `(\$.*)`)?")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`(?: - at `(\$.*)`)?")
_TYPE_NAMES: Final = {
    "array": "an array",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "null": "null",
    "object": "an object",
    "str": "a string",
}


def _structure(name: str, built: dict[str, type[msgspec.Struct]]) -> type[msgspec.Struct]:
    if name not in built:
        fields = [_field(field, kind, built) for field, kind in OBJECTS[name].items()]
        built[name] = msgspec.defstruct(name, sorted(fields, key=len), gc=False)
    return built[name]


def _field(name: str, kind: str, built: dict[str, type[msgspec.Struct]]) -> tuple[str, Any] | tuple[str, Any, None]:
    inner = kind.strip("[]!")
    form = _PLAIN.get(inner) or _structure(inner, built)
    if kind.startswith("["):
        form = GenericAlias(list, form)
    return (name, form) if kind.endswith("!") else (name, form, None)


_BID_REQUEST: Final = _structure("BidRequest", {})


def check_fields(bid_request: Mapping[str, Any]) -> None:
    """Check the type of every field that the specification defines. Raises ``BidRequestRefused``."""
    try:
        msgspec.convert(bid_request, _BID_REQUEST)
    except msgspec.ValidationError as problem:
        raise _refusal(str(problem)) from None
    places = [name for name in _PLACES if name in bid_request]
    if len(places) > 1:
        raise BidRequestRefused(f"$.{places[1]}", f"must not be present beside {places[0]}; send one of them")
    if not 0 < len(bid_request["imp"]) <= MAX_IMPRESSIONS:
        raise BidRequestRefused("$.imp", f"must contain 1 to {MAX_IMPRESSIONS} impressions")


def _refusal(error: str) -> BidRequestRefused:
    if found := _WRONG_TYPE.fullmatch(error):
        expected, got, path = found.groups()
        return BidRequestRefused(path or "$", f"must be {_TYPE_NAMES[expected]}, not {_TYPE_NAMES[got]}")
    if found := _OUT_OF_RANGE.fullmatch(error):
        return BidRequestRefused(found[1] or "$", "must be a number within the range of a double")
    name, path = _MISSING.findall(error)[0]
    return BidRequestRefused(f"{path or '$'}.{name}", "is required")
