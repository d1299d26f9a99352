"""The Global Vendor List: the purposes that each vendor declared, and their legal bases.

Read from the JSON of GVL specification 3 (IAB "Consent string and vendor list formats v2", The Global Vendor
List). A vendor is stored as four bit masks, with bit *n* for purpose or special feature *n*.

Invariant: a list of the wrong shape is refused whole. Knows nothing of any person's consent, nor of files.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from targeting.signals.unreadable import Unreadable

SPECIFICATION_VERSION = 3
MAX_PURPOSE = 24
"""The highest purpose that a TC string has a bit for."""

_MAX_VENDOR = 65_535
_MAX_VERSION = 4095


class VendorDeclaration(NamedTuple):
    """The declaration of one vendor: three masks of purpose ids, and one of special feature ids."""

    purposes: int
    leg_int_purposes: int
    flexible_purposes: int
    special_features: int

    def on_consent(self, purpose: int) -> bool:
        """Return whether the vendor declared the purpose on the basis of consent, or flexibly."""
        return (self.purposes | self.flexible_purposes) >> purpose & 1 == 1

    def on_legitimate_interest(self, purpose: int) -> bool:
        """Return whether the vendor declared the purpose on the basis of legitimate interest, or flexibly."""
        return (self.leg_int_purposes | self.flexible_purposes) >> purpose & 1 == 1

    def uses_feature(self, number: int) -> bool:
        """Return whether the vendor declared the special feature."""
        return self.special_features >> number & 1 == 1


NO_DECLARATION = VendorDeclaration(purposes=0, leg_int_purposes=0, flexible_purposes=0, special_features=0)


class VendorList(NamedTuple):
    """One version of the list. A vendor outside ``vendors`` declared nothing."""

    vendor_list_version: int
    vendors: Mapping[int, VendorDeclaration]

    def declaration_of(self, vendor: int) -> VendorDeclaration:
        """Return the vendor's declaration."""
        return self.vendors.get(vendor, NO_DECLARATION)


def parse_vendor_list(document: bytes | str | Mapping[str, object]) -> VendorList:
    """Parse a GVL file, or the object read from it.

    Raises ``Unreadable`` with the path of the first member of the wrong shape.
    """
    root = document if isinstance(document, Mapping) else _load(document)
    if root.get("gvlSpecificationVersion") != SPECIFICATION_VERSION:
        raise Unreadable(f"gvlSpecificationVersion: must be {SPECIFICATION_VERSION}")
    version = _integer(root.get("vendorListVersion"), "vendorListVersion", _MAX_VERSION)
    vendors = _object(root.get("vendors"), "vendors")
    return VendorList(version, {_vendor_id(key): _parse_declaration(key, value) for key, value in vendors.items()})


def _load(document: bytes | str) -> Mapping[str, object]:
    """Read JSON."""
    try:
        return _object(json.loads(document), "the document")
    except RecursionError:
        raise Unreadable("the document: nested too deeply") from None
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("the document: not JSON") from None


def _vendor_id(key: object) -> int:
    """Return the id that a key of ``vendors`` holds, in plain decimal."""
    if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) <= 5:
        vendor = int(key)
        if 0 < vendor <= _MAX_VENDOR and str(vendor) == key:
            return vendor
    raise Unreadable("vendors: a key that is not a vendor id")


def _parse_declaration(key: str, value: object) -> VendorDeclaration:
    """Return the declaration of the vendor under ``key``; an empty one if the vendor was deleted."""
    path = f"vendors.{key}"
    vendor = _object(value, path)
    if _integer(vendor.get("id"), f"{path}.id", _MAX_VENDOR) != int(key):
        raise Unreadable(f"{path}.id: differs from its key")
    purposes, interests, flexible, special_features = (
        _mask(vendor.get(name, []), f"{path}.{name}")
        for name in ("purposes", "legIntPurposes", "flexiblePurposes", "specialFeatures")
    )
    if vendor.get("deletedDate") is not None:
        return NO_DECLARATION
    return VendorDeclaration(
        purposes=purposes,
        leg_int_purposes=interests,
        flexible_purposes=flexible & (purposes | interests),
        special_features=special_features,
    )


def _mask(value: object, path: str) -> int:
    """Return a list of ids as a mask."""
    if not isinstance(value, list):
        raise Unreadable(f"{path}: must be an array")
    mask = 0
    for index, item in enumerate(value):
        mask |= 1 << _integer(item, f"{path}.{index}", MAX_PURPOSE)
    return mask


def _integer(value: object, path: str, highest: int) -> int:
    """Return ``value``, which must be an integer from 1 to ``highest``."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= highest:
        raise Unreadable(f"{path}: must be an integer from 1 to {highest}")
    return value


def _object(value: object, path: str) -> Mapping[str, object]:
    """Return ``value``, which must be an object."""
    if not isinstance(value, Mapping):
        raise Unreadable(f"{path}: must be an object")
    return value
