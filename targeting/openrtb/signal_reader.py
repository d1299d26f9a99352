"""Reading of signals from objects of a bid request, of any type: valid ones, and the paths of those that are not.

``null`` is an absent signal, and ``null`` and ``[]`` are an absent object. Anything else of another type is unreadable.
"""

from collections.abc import Mapping
from typing import Any, Final

from targeting.openrtb.forms import DEVICE, DEVICE_EXT, REGS, USER, Validators, is_text
from targeting.openrtb.schema import OBJECTS
from targeting.places.geo import UNKNOWN_LOCATION, IpLocation, location_of
from targeting.places.locale import parse_place

Object = Mapping[str, Any]

NOTHING: Final[Object] = {}
_HOLDERS: Final[Mapping[str, frozenset[str]]] = {
    "regs": frozenset({*REGS, "ext"}),
    "user": frozenset({*USER, "ext", "yob"}),
    "device": frozenset({*DEVICE, "ext", "ifa"}),
}
"""Objects with signals, and the names in them that hold one."""
_GEO: Final[Validators] = {"country": is_text}
_PLAIN_NAMES: Final = frozenset(
    name for known in (*OBJECTS.values(), REGS, DEVICE_EXT) for name in known if name == name.casefold()
)
"""Lower-case names of the specification: nearly all that a bid request contains."""


class SignalReader:
    """Reads valid signals, and collects the paths of invalid ones."""

    __slots__ = ("unreadable",)

    def __init__(self) -> None:
        self.unreadable: list[str] = []

    def object_at(self, path: str, holder: Object, name: str) -> Object:
        """Return the object with a name, empty if it is absent or unreadable."""
        value = holder.get(name)
        if type(value) is dict:
            return value
        if value is not None and value != []:
            self.unreadable.append(path)
        return NOTHING

    def read(self, path: str, holder: Object, validators: Validators) -> dict[str, Any]:
        """Return the valid members of an object that the table names."""
        valid: dict[str, Any] = {}
        for name, is_valid in validators.items():
            if (value := holder.get(name)) is None:
                continue
            if is_valid(value):
                valid[name] = value
            else:
                self.unreadable.append(f"{path}.{name}")
        if _PLAIN_NAMES.issuperset(holder):
            return valid
        for name in holder:
            if (known := name.casefold()) in validators and known not in holder:
                # Some readers ignore case, so this may be the signal.
                self.unreadable.append(f"{path}.{known}")
        return valid

    def place(self, path: str, holder: Object) -> tuple[IpLocation, str]:
        """Return the location that ``geo`` states, and the subdivision for rules by place.

        The region may be written as OpenRTB or ISO 3166-2 does, in any case; an unreadable one gives ``US-``.
        """
        geo = self.object_at(path, holder, "geo")
        country = parse_place(self.read(path, geo, _GEO).get("country", ""))
        if not country:
            return UNKNOWN_LOCATION, ""
        region = geo.get("region")
        stated = region.strip().upper().removeprefix(f"{country}-") if type(region) is str else ""
        place = location_of(country, stated)
        is_unreadable = bool(stated) if type(region) is str else region is not None
        return place, place.subdivision or (f"{country}-" if is_unreadable else "")


def misspelt_objects(bid_request: Object) -> list[str]:
    """Return the objects with signals whose names differ in case: some readers ignore case."""
    if _PLAIN_NAMES.issuperset(bid_request):
        return []
    return [
        known
        for name, value in bid_request.items()
        if (known := name.casefold()) in _HOLDERS
        and known != name
        and isinstance(value, dict)
        and any(member.casefold() in _HOLDERS[known] for member in value)
    ]
