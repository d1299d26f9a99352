"""The members of a bid request that are sent to networks under one policy.

Invariant: what is read here contains only fields of the specification and allowed extensions, each with its type.
``user``, ``device`` and ``regs`` are built elsewhere; this module does not know the person.
"""

from collections.abc import Container, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from targeting.openrtb.extensions import extension_objects, without_empty
from targeting.openrtb.field_types import dict_of
from targeting.openrtb.fields import selector_of
from targeting.openrtb.forms import DEVICE_EXT, USER_EXT, Validators
from targeting.openrtb.json import Raw, reader_of, value_of, write_json
from targeting.openrtb.schema import EXTENSIONS, OBJECTS, Objects, element_of
from targeting.policy.networks import BidRequestPolicy

PLACES: Final = ("app", "site", "dooh")
"""Where the ads are shown: a request has at most one of them (section 3.2.1); of several the first is sent."""

VALUES: Final = frozenset(
    name for name, kind in OBJECTS["BidRequest"].items() if element_of(kind) not in {*OBJECTS, "object"}
)
"""Fields of the request itself that are not objects."""

_OBJECT_NAMES: Final = {name.casefold(): name for name in OBJECTS}


class Reader:
    """Reads objects of one type from checked JSON, and returns the members that ``objects`` describes."""

    __slots__ = ("_read", "_select", "is_empty")

    def __init__(self, kind: str, objects: Objects) -> None:
        self._select = selector_of(kind, objects)
        self._read = reader_of(dict_of(kind, objects))
        self.is_empty = not objects[element_of(kind)]
        """Whether nothing is ever returned."""

    def __call__(self, raw: bytes) -> Any:
        """Return the members of an object, or of each object of an array."""
        try:
            return self._read(raw)
        except msgspec.ValidationError:
            # Extensions are checked here, since the policy allows them.
            return self._read(write_json(self._select(value_of(raw))))


class Readers(NamedTuple):
    """Readers of everything that is sent under one policy, except ``user``, ``device`` and ``regs``."""

    source: Reader
    places: Mapping[str, Reader]
    impressions: Reader
    request_ext: Reader
    impression_ext: Reader
    user_ext: Reader
    device_ext: Reader


@lru_cache(maxsize=8)
def readers_for(policy: BidRequestPolicy) -> Readers:
    """Return the readers for a policy. They take about 3 ms to make, so those of the latest policies are kept."""
    objects = _objects(policy)
    return Readers(
        source=Reader("Source", objects),
        places={name: Reader(_OBJECT_NAMES[name], objects) for name in PLACES},
        impressions=Reader("[Imp]", objects),
        request_ext=Reader("BidRequest.ext", objects),
        impression_ext=Reader("Imp.ext", objects),
        user_ext=Reader("User.ext", objects),
        device_ext=Reader("Device.ext", objects),
    )


def read_extension(reader: Reader, raw: Raw) -> dict[str, Any]:
    """Return the allowed members of an extension, without empty objects."""
    return {} if reader.is_empty else without_empty(reader(raw))


def _objects(policy: BidRequestPolicy) -> Objects:
    """Return the tables of the specification, with the extensions that the policy allows."""
    by_object = _by_object(policy.object_ext)
    objects: dict[str, Mapping[str, str]] = {name: _fields(name, by_object) for name in OBJECTS}
    allowed = {
        **by_object,
        "BidRequest": policy.request_ext,
        "Imp": policy.impression_ext,
        "User": _without(policy.user_ext, USER_EXT),
        "Device": _without(policy.device_ext, DEVICE_EXT),
    }
    for name, names in allowed.items():
        objects |= extension_objects(name, names)
    return {**EXTENSIONS, **objects}


def _fields(name: str, extended: Container[str]) -> Mapping[str, str]:
    fields = {field: kind for field, kind in OBJECTS[name].items() if field != "ext"}
    if name == "Imp":
        # It also holds the parameters of networks, which are selected for each network.
        return fields | {"ext": "any"}
    return fields | {"ext": f"{name}.ext"} if name in extended else fields


def _by_object(names: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    by_object: dict[str, tuple[str, ...]] = {}
    for dotted in names:
        owner, _, name = dotted.partition(".")
        by_object[_OBJECT_NAMES[owner]] = (*by_object.get(_OBJECT_NAMES[owner], ()), name)
    return by_object


def _without(names: tuple[str, ...], signals: Validators) -> tuple[str, ...]:
    """Return the names without those of signals, which must be valid to be sent, even where the policy names them."""
    return tuple(name for name in names if name.partition(".")[0] not in signals)
