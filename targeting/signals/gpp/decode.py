"""GPP strings decoded in full, with the names of the specifications.

The form is that of the official library's objects: fields by name in UpperCamelCase, bit fields as lists of
booleans, ranges as sorted lists of ids, times in ISO 8601.

Invariant: the cost is linear in the length of the string, and the number of ids it may expand to is bounded.
No decision uses this module.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from targeting.signals.gpp.canada import CoreLists, read_sub_sections
from targeting.signals.gpp.layouts import (
    LAYOUTS,
    SENSITIVE,
    SENSITIVE_SEGMENT_FIELDS,
    VERSION_BITS,
    Field,
    OptionalSegment,
)
from targeting.signals.gpp.string import CANADA, TCF, US_PRIVACY, split_sections
from targeting.signals.gpp.us import UsSection, read_us_section
from targeting.signals.tcf.decode import check_total_size, decode_tc_string, expand_ranges, to_json
from targeting.signals.unreadable import Unreadable
from targeting.signals.us_privacy import decode_us_privacy

MAX_IDS = 1_000_000
"""Vendor ids that the lists of one section may expand to."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TCF_FIELDS = {
    "Version": "version",
    "Created": "created",
    "LastUpdated": "lastUpdated",
    "CmpId": "cmpId",
    "CmpVersion": "cmpVersion",
    "ConsentScreen": "consentScreen",
    "ConsentLanguage": "consentLanguage",
    "VendorListVersion": "vendorListVersion",
    "PolicyVersion": "policyVersion",
    "IsServiceSpecific": "isServiceSpecific",
    "UseNonStandardStacks": "useNonStandardTexts",
    "PurposeOneTreatment": "purposeOneTreatment",
    "PublisherCountryCode": "publisherCountryCode",
}
_TCF_FLAGS = {
    "SpecialFeatureOptins": ("specialFeatureOptins", 12),
    "PurposeConsents": ("purposeConsents", 24),
    "PurposeLegitimateInterests": ("purposeLegitimateInterests", 24),
}
_NAMES = {TCF: "tcfeuv2", CANADA: "tcfcav1", US_PRIVACY: "uspv1"}


def decode_gpp_string(text: str) -> dict[str, Any]:
    """Return all section ids, and all fields of the known sections. Raises ``Unreadable``."""
    ids, parts = split_sections(text)
    sections = [_decode_section(section_id, part) for section_id, part in zip(ids, parts[1:], strict=True)]
    return {"sectionIds": list(ids), "sections": sections}


def _decode_section(section_id: int, text: str) -> dict[str, Any]:
    if section_id in LAYOUTS:
        name, decoded = LAYOUTS[section_id][0].name, _decode_us(section_id, text)
    elif section_id in _NAMES:
        name, decoded = _NAMES[section_id], _DECODERS[section_id](text)
    else:
        return {"id": section_id, "name": None, "raw": text, "supported": False}
    return {"id": section_id, "name": name, "raw": text, **decoded}


def _decode_us(section_id: int, text: str) -> dict[str, Any]:
    section = read_us_section(section_id, text)
    layout, width, _ = section.prepared
    segments, fields = ["Core"], {}
    if section.header is not None:
        segments = ["Header", "Core"]
        fields = {"SectionID": section_id, "Version": 1, "SubSections": list(section.header)}
    version = section.numbers >> (width - VERSION_BITS)
    fields["MspaVersion" if layout.version is None else "Version"] = version
    fields |= _numbers(layout.fields, section.numbers)
    if version != layout.version is not None:
        _cut_lists(section_id, version, fields)
    fields |= _decode_optional(section)
    if section.gpc is not None or section.sensitive is not None:
        segments.append(layout.optional_segment.value)
    return {"segments": segments, "fields": fields}


def _numbers(fields: tuple[Field, ...], numbers: int) -> dict[str, Any]:
    """Return the values of the fields; the last one ends with the lowest bit of ``numbers``."""
    count = sum(len(field.national_names) for field in fields)
    values = iter([numbers >> shift & 3 for shift in range(2 * count - 2, -1, -2)])
    decoded: dict[str, Any] = {}
    for field in fields:
        taken = list(islice(values, len(field.national_names)))
        decoded[field.name] = taken if field.listed else taken[0]
    return decoded


def _cut_lists(section_id: int, version: int, fields: dict[str, Any]) -> None:
    """Shorten each list to the length in this version, for a longer layout that was written under it."""
    for layout in LAYOUTS[section_id]:
        if layout.version == version:
            for field in layout.fields:
                if field.listed:
                    fields[field.name] = fields[field.name][: len(field.national_names)]


def _decode_optional(section: UsSection) -> dict[str, Any]:
    optional = section.prepared.layout.optional_segment
    if optional is OptionalSegment.NONE:
        return {}
    included = f"{optional.value}SegmentIncluded"
    if section.gpc is not None:
        return {"GpcSegmentType": section.gpc >> 1, "Gpc": section.gpc & 1 == 1, included: True}
    if section.sensitive is not None:
        return {SENSITIVE: _numbers(SENSITIVE_SEGMENT_FIELDS, section.sensitive)[SENSITIVE], included: True}
    return {included: False}


def _decode_us_privacy(text: str) -> dict[str, Any]:
    return {"segments": ["V1Core"], "fields": decode_us_privacy(text)}


def _decode_canada(text: str) -> dict[str, Any]:
    fixed, lists, publisher, disclosed = read_sub_sections(text)
    restricted = [restriction.vendors for restriction in lists.restrictions]
    vendor_lists = (lists.express, lists.implied, *restricted, disclosed)
    if sum(vendors.number() for vendors in vendor_lists if vendors) > MAX_IDS:
        raise Unreadable("more vendors than can exist")
    segments, fields = ["Core"], _canadian_core(fixed, lists)
    if publisher is not None:
        segments.append("PublisherPurposes")
        fields |= {
            "PubPurposesSegmentType": 3,
            "PubPurposesExpressConsent": _booleans(publisher.express),
            "PubPurposesImpliedConsent": _booleans(publisher.implied),
            "NumCustomPurposes": len(publisher.custom_express),
            "CustomPurposesExpressConsent": _booleans(publisher.custom_express),
            "CustomPurposesImpliedConsent": _booleans(publisher.custom_implied),
        }
    if disclosed is not None:
        segments.append("DisclosedVendors")
        fields |= {"DisclosedVendorsSegmentType": 1, "DisclosedVendors": disclosed.ids()}
    return {"segments": segments, "fields": fields}


def _canadian_core(fixed: str, lists: CoreLists) -> dict[str, Any]:
    digits = iter(fixed)

    def take(width: int) -> str:
        return "".join(islice(digits, width))

    return {
        "Version": int(take(6), 2),
        "Created": _time(take(36)),
        "LastUpdated": _time(take(36)),
        "CmpId": int(take(12), 2),
        "CmpVersion": int(take(12), 2),
        "ConsentScreen": int(take(6), 2),
        "ConsentLanguage": _letter(take(6)) + _letter(take(6)),
        "VendorListVersion": int(take(12), 2),
        "TcfPolicyVersion": int(take(6), 2),
        "UseNonStandardStacks": take(1) == "1",
        "SpecialFeatureExpressConsent": _booleans(take(12)),
        "PurposesExpressConsent": _booleans(take(24)),
        "PurposesImpliedConsent": _booleans(take(24)),
        "VendorExpressConsent": lists.express.ids(),
        "VendorImpliedConsent": lists.implied.ids(),
        "PubRestrictions": [
            {"key": restriction.purpose, "type": restriction.kind, "ids": restriction.vendors.ids()}
            for restriction in lists.restrictions
        ],
    }


def _booleans(digits: str) -> list[bool]:
    return [digit == "1" for digit in digits]


def _letter(digits: str) -> str:
    return chr(ord("A") + int(digits, 2))


def _time(digits: str) -> str:
    """Return a time in tenths of a second since 1970 in ISO 8601."""
    time = _EPOCH + timedelta(milliseconds=100 * int(digits, 2))
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _decode_tcf(text: str) -> dict[str, Any]:
    """Return the fields of a TC string by their GPP names and, under ``tcf``, by their TCF names.

    The GPP library keeps restrictions and ids as written; the TCF library sorts and merges them.
    """
    tc = decode_tc_string(text)
    core, others = tc.core, (("VendorsAllowed", 2, tc.allowed_vendors), ("VendorsDisclosed", 1, tc.disclosed_vendors))
    check_total_size(restriction.vendors for restriction in core.restrictions)
    check_total_size([core.vendor_consents, core.vendor_legitimate_interests, *(ids or () for *_, ids in others)])
    decoded: dict[str, Any] = to_json(tc)
    fields: dict[str, Any] = {name: decoded[of_tcf] for name, of_tcf in _TCF_FIELDS.items()}
    fields |= {name: _flags(decoded[of_tcf], size) for name, (of_tcf, size) in _TCF_FLAGS.items()}
    fields["VendorConsents"] = expand_ranges(core.vendor_consents)
    fields["VendorLegitimateInterests"] = expand_ranges(core.vendor_legitimate_interests)
    fields["PublisherRestrictions"] = [
        {"key": restriction.purpose, "type": restriction.kind, "ids": expand_ranges(restriction.vendors)}
        for restriction in core.restrictions
    ]
    segments = ["Core"]
    if "publisherTC" in decoded:
        segments.append("PublisherPurposes")
        fields |= _publisher_fields(decoded["publisherTC"])
    for name, kind, ids in others:
        if ids is not None:
            segments.append(name)
            fields |= {f"{name}SegmentType": kind, name: expand_ranges(ids)}
    return {"segments": segments, "fields": fields, "tcf": decoded}


def _publisher_fields(publisher: dict[str, Any]) -> dict[str, Any]:
    customs = publisher["numCustomPurposes"]
    custom_interests = publisher["publisherCustomLegitimateInterests"]
    return {
        "PublisherPurposesSegmentType": 3,
        "PublisherConsents": _flags(publisher["publisherConsents"], 24),
        "PublisherLegitimateInterests": _flags(publisher["publisherLegitimateInterests"], 24),
        "NumCustomPurposes": customs,
        "PublisherCustomConsents": _flags(publisher["publisherCustomConsents"], customs),
        "PublisherCustomLegitimateInterests": _flags(custom_interests, customs),
    }


def _flags(ids: list[int], size: int) -> list[bool]:
    return [number in ids for number in range(1, size + 1)]


_DECODERS: dict[int, Callable[[str], dict[str, Any]]] = {
    TCF: _decode_tcf,
    CANADA: _decode_canada,
    US_PRIVACY: _decode_us_privacy,
}
