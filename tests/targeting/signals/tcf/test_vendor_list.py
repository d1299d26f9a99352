"""The Global Vendor List: what is taken from it, and that a list of the wrong shape is refused with its path."""

import json
from typing import Any

import pytest

from targeting.signals.tcf.vendor_list import NO_DECLARATION, parse_vendor_list
from targeting.signals.unreadable import Unreadable

VENDOR = {
    "id": 8,
    "name": "Example",
    "purposes": [1, 3, 24],
    "legIntPurposes": [2, 7],
    "flexiblePurposes": [2, 3],
    "specialPurposes": [1, 2],
    "features": [1],
    "specialFeatures": [1],
    "usesCookies": True,
}
LIST: dict[str, Any] = {
    "gvlSpecificationVersion": 3,
    "vendorListVersion": 138,
    "tcfPolicyVersion": 5,
    "lastUpdated": "2026-01-08T16:00:00Z",
    "purposes": {"1": {"id": 1, "name": "Store and/or access information on a device"}},
    "vendors": {"8": VENDOR, "9": {"id": 9}, "10": {**VENDOR, "id": 10, "deletedDate": "2025-01-01T00:00:00Z"}},
}


@pytest.mark.parametrize("document", [LIST, json.dumps(LIST), json.dumps(LIST).encode()], ids=["read", "text", "bytes"])
def test_what_a_vendor_declared(document: Any) -> None:
    vendors = parse_vendor_list(document)
    assert vendors.vendor_list_version == 138
    declared = vendors.declaration_of(8)
    assert [purpose for purpose in range(30) if declared.on_consent(purpose)] == [1, 2, 3, 24]
    assert [purpose for purpose in range(30) if declared.on_legitimate_interest(purpose)] == [2, 3, 7]
    assert declared.special_features == 0b10


@pytest.mark.parametrize("vendor", [9, 10, 11], ids=["declared nothing", "deleted", "not in the list"])
def test_a_vendor_without_declarations(vendor: int) -> None:
    assert parse_vendor_list(LIST).declaration_of(vendor) == NO_DECLARATION


def with_vendor(**changes: object) -> dict[str, Any]:
    return {**LIST, "vendors": {"8": {**VENDOR, **changes}}}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        pytest.param(b"", "the document: not JSON", id="empty"),
        pytest.param(b"{", "the document: not JSON", id="cut short"),
        pytest.param(b"\xff\xfe\xfd", "the document: not JSON", id="not UTF-8"),
        pytest.param("[" * 100_000, "the document: nested", id="too deep"),
        pytest.param("[]", "the document: must be an object", id="an array"),
        pytest.param({}, "gvlSpecificationVersion: must be 3", id="nothing"),
        pytest.param({**LIST, "gvlSpecificationVersion": 2}, "gvlSpecificationVersion: must be 3", id="version 2"),
        pytest.param({**LIST, "vendorListVersion": "138"}, "vendorListVersion: must be an integer", id="text"),
        pytest.param({**LIST, "vendorListVersion": True}, "vendorListVersion: must be an integer", id="a boolean"),
        pytest.param({**LIST, "vendorListVersion": 4096}, "vendorListVersion: must be an integer", id="13 bits"),
        pytest.param({**LIST, "vendors": None}, "vendors: must be an object", id="no vendors"),
        pytest.param({**LIST, "vendors": []}, "vendors: must be an object", id="an array of vendors"),
        pytest.param({**LIST, "vendors": {"x": VENDOR}}, "vendors: a key", id="a name for an id"),
        pytest.param({**LIST, "vendors": {"08": VENDOR}}, "vendors: a key", id="a leading zero"),
        pytest.param({**LIST, "vendors": {"0": VENDOR}}, "vendors: a key", id="vendor 0"),
        pytest.param({**LIST, "vendors": {"65536": VENDOR}}, "vendors: a key", id="17 bits"),
        pytest.param({**LIST, "vendors": {8: VENDOR}}, "vendors: a key", id="a number for a key"),
        pytest.param({**LIST, "vendors": {"8": 8}}, "vendors.8: must be an object", id="a number for a vendor"),
        pytest.param({**LIST, "vendors": {"7": VENDOR}}, "vendors.7.id: differs", id="another vendor's id"),
        pytest.param(with_vendor(id=None), "vendors.8.id: must be an integer", id="no id"),
        pytest.param(with_vendor(purposes={"1": 1}), "vendors.8.purposes: must be an array", id="an object"),
        pytest.param(with_vendor(purposes=None), "vendors.8.purposes: must be an array", id="null"),
        pytest.param(with_vendor(purposes=[1, "2"]), "vendors.8.purposes.1: must be", id="a text"),
        pytest.param(with_vendor(legIntPurposes=[0]), "vendors.8.legIntPurposes.0: must be", id="purpose 0"),
        pytest.param(with_vendor(flexiblePurposes=[25]), "vendors.8.flexiblePurposes.0: must be", id="purpose 25"),
        pytest.param(with_vendor(specialFeatures=[1.0]), "vendors.8.specialFeatures.0: must be", id="a fraction"),
        pytest.param(with_vendor(specialFeatures=[True]), "vendors.8.specialFeatures.0: must be", id="a truth"),
    ],
)
def test_a_list_of_the_wrong_shape_is_refused(document: Any, path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse_vendor_list(document)
    assert str(caught.value).startswith(path)
