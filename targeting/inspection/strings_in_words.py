"""Consent strings field by field: the name in its specification, the bits, the value, and what it says in words.

For people who ask why; no decision uses it. The fields of lists, whose place varies, are given without bits.
"""

from collections.abc import Iterator
from typing import Any, Final

from targeting.inspection.canada_in_words import canadian_section_in_words
from targeting.inspection.decoded_field import (
    DecodedField,
    FixedField,
    PublisherNames,
    bits_of,
    fixed_fields,
    publisher_fields,
    segment_type,
    shown,
    vendor_segment,
)
from targeting.inspection.us_section_in_words import us_section_in_words
from targeting.signals.gpp.decode import decode_gpp_string
from targeting.signals.gpp.layouts import LAYOUTS
from targeting.signals.gpp.string import CANADA, TCF, US_PRIVACY
from targeting.signals.tcf.decode import decode_tc_string, to_json
from targeting.signals.us_privacy import read_us_privacy

# IAB "Consent string and vendor list formats v2", section "The core string".
_TC_FIELDS: Final = (
    FixedField("Version", 0, 6, "version", "version of the format"),
    FixedField("Created", 6, 36, "created", "when consent was first asked for"),
    FixedField("LastUpdated", 42, 36, "lastUpdated", "when it last changed"),
    FixedField("CmpId", 78, 12, "cmpId", "the consent tool"),
    FixedField("CmpVersion", 90, 12, "cmpVersion", "the version of the consent tool"),
    FixedField("ConsentScreen", 102, 6, "consentScreen", "the screen on which the person answered"),
    FixedField("ConsentLanguage", 108, 12, "consentLanguage", "the language of the dialogue"),
    FixedField("VendorListVersion", 120, 12, "vendorListVersion", "the vendor list that the dialogue showed"),
    FixedField("TcfPolicyVersion", 132, 6, "policyVersion", "the TCF policies that applied"),
    FixedField(
        "IsServiceSpecific", 138, 1, "isServiceSpecific", "for this site alone; a string that says no is invalid"
    ),
    FixedField("UseNonStandardTexts", 139, 1, "useNonStandardTexts", "the dialogue had its own texts"),
    FixedField("SpecialFeatureOptIns", 140, 12, "specialFeatureOptins", "special features; 1 is precise position"),
    FixedField("PurposesConsent", 152, 24, "purposeConsents", "purposes consented to"),
    FixedField("PurposesLITransparency", 176, 24, "purposeLegitimateInterests", "legitimate interests shown"),
    FixedField("PurposeOneTreatment", 200, 1, "purposeOneTreatment", "purpose 1 was not asked about"),
    FixedField("PublisherCC", 201, 12, "publisherCountryCode", "the country of the publisher"),
)
_TC_LISTS: Final = (
    ("VendorConsents", "vendorConsents", "consent"),
    ("VendorLegitimateInterests", "vendorLegitimateInterests", "legitimate interest"),
)

_TC_VENDOR_SEGMENTS: Final = {
    1: ("VendorsDisclosed", "disclosedVendors", "vendors disclosed"),
    2: ("VendorsAllowed", "allowedVendors", "vendors allowed by the publisher"),
}
_TC_PUBLISHER: Final = PublisherNames(
    "PubPurposesConsent",
    "PubPurposesLITransparency",
    "CustomPurposesConsent",
    "CustomPurposesLITransparency",
    ("consent", "legitimate interest"),
)
_US_ANSWER: Final = {"-": "not applicable", "Y": "yes", "N": "no"}


def tc_string_in_words(text: str, vendor: int) -> list[DecodedField]:
    """Explain a TC string, with what it says of one vendor. Raises ``Unreadable``."""
    decoded: dict[str, Any] = dict(to_json(decode_tc_string(text)))
    core, *optional = map(bits_of, text.split("."))
    fields = list(fixed_fields(_TC_FIELDS, core, decoded))
    for name, key, kind in _TC_LISTS:
        has = "has" if vendor in decoded[key] else "does not have"
        fields.append(DecodedField(name, "", shown(decoded[key]), f"vendor {vendor} {has} {kind}"))
    fields += [
        DecodedField("PubRestrictions", "", _restriction(restriction), "what the publisher takes away")
        for restriction in decoded["publisherRestrictions"]
    ]
    for bits in optional:
        fields += _tc_segment(bits, decoded)
    return fields


def gpp_string_in_words(text: str, vendor: int) -> dict[str, list[DecodedField]]:
    """Explain every section of a GPP string, by the section's id and name. Raises ``Unreadable``."""
    explained: dict[str, list[DecodedField]] = {}
    for section in decode_gpp_string(text)["sections"]:
        explained[f"{section['id']} {section['name'] or ''}".strip()] = _section(section, vendor)
    return explained


def us_privacy_in_words(text: str) -> list[DecodedField]:
    """Explain a US Privacy string. Raises ``Unreadable``."""
    read = read_us_privacy(text)
    rows = (("Notice", read.notice, "notice and a way to opt out were given"),
            ("OptOutSale", read.opt_out_sale, "opted out of the sale"),
            ("LspaCovered", read.lspa, "covered by the Limited Service Provider Agreement"))  # fmt: skip
    version = DecodedField("Version", "", str(read.version), "version of the format")
    return [version, *(DecodedField(name, "", value, f"{words}: {_US_ANSWER[value]}") for name, value, words in rows)]


def _tc_segment(bits: str, decoded: dict[str, Any]) -> Iterator[DecodedField]:
    if (kind := segment_type(bits)) not in _TC_VENDOR_SEGMENTS:
        return publisher_fields(bits, _TC_PUBLISHER)
    name, key, words = _TC_VENDOR_SEGMENTS[kind]
    return vendor_segment(bits, name, decoded[key], words)


def _section(section: dict[str, Any], vendor: int) -> list[DecodedField]:
    raw = section["raw"]
    if section["id"] in LAYOUTS:
        return list(us_section_in_words(section))
    if section["id"] == TCF:
        return tc_string_in_words(raw, vendor)
    if section["id"] == CANADA:
        return list(canadian_section_in_words(raw, section["fields"], vendor))
    if section["id"] == US_PRIVACY:
        return us_privacy_in_words(raw)
    return [
        DecodedField(f"Segment {number}", bits_of(text), "", "a section that this version cannot decode")
        for number, text in enumerate(raw.split("."), start=1)
    ]


def _restriction(restriction: dict[str, Any]) -> str:
    return ", ".join(f"{name} {shown(value)}" for name, value in restriction.items())
