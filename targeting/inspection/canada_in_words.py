"""The Canadian section of a GPP string field by field (IAB "GPPExtension: IAB Canada TCF").

For people who ask why; no decision uses it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from targeting.inspection.decoded_field import (
    DecodedField,
    FixedField,
    PublisherNames,
    bits_of,
    fixed_fields,
    numbers_of,
    publisher_fields,
    segment_type,
    shown,
    vendor_segment,
)

_FIXED: Final = (
    FixedField("Version", 0, 6, "Version", "version of the section"),
    FixedField("Created", 6, 36, "Created", "when consent was first asked for"),
    FixedField("LastUpdated", 42, 36, "LastUpdated", "when it last changed"),
    FixedField("CmpId", 78, 12, "CmpId", "the consent tool"),
    FixedField("CmpVersion", 90, 12, "CmpVersion", "the version of the consent tool"),
    FixedField("ConsentScreen", 102, 6, "ConsentScreen", "the screen on which the person answered"),
    FixedField("ConsentLanguage", 108, 12, "ConsentLanguage", "the language of the dialogue"),
    FixedField("VendorListVersion", 120, 12, "VendorListVersion", "the vendor list that the dialogue showed"),
    FixedField("TcfPolicyVersion", 132, 6, "TcfPolicyVersion", "the TCF policies that applied"),
    FixedField("UseNonStandardStacks", 138, 1, "UseNonStandardStacks", "the dialogue had stacks of its own"),
    FixedField("SpecialFeatureExpressConsent", 139, 12, "SpecialFeatureExpressConsent",
               "special features with express consent; 1 is precise position"),
    FixedField("PurposesExpressConsent", 151, 24, "PurposesExpressConsent", "purposes with express consent"),
    FixedField("PurposesImpliedConsent", 175, 24, "PurposesImpliedConsent", "purposes with implied consent alone"),
)  # fmt: skip
_FLAGS: Final = ("SpecialFeatureExpressConsent", "PurposesExpressConsent", "PurposesImpliedConsent")
_LISTS: Final = (("VendorExpressConsent", "express consent"), ("VendorImpliedConsent", "implied consent"))
_PUBLISHER: Final = PublisherNames(
    "PubPurposesExpressConsent",
    "PubPurposesImpliedConsent",
    "CustomPurposesExpressConsent",
    "CustomPurposesImpliedConsent",
    ("express consent", "implied consent"),
)
_PUBLISHER_TYPE: Final = 3


def canadian_section_in_words(text: str, fields: Mapping[str, Any], vendor: int) -> Iterator[DecodedField]:
    """Yield the fields of a section that was decoded to ``fields``, with what it says of one vendor."""
    core, *optional = map(bits_of, text.split("."))
    yield from fixed_fields(_FIXED, core, {**fields, **{name: numbers_of(fields[name]) for name in _FLAGS}})
    for name, kind in _LISTS:
        has = "has" if vendor in fields[name] else "does not have"
        yield DecodedField(name, "", shown(fields[name]), f"vendor {vendor} {has} {kind}")
    for restriction in fields["PubRestrictions"]:
        value = f"purpose {restriction['key']}, type {restriction['type']}, vendors {shown(restriction['ids'])}"
        yield DecodedField("PubRestrictions", "", value, "what the publisher takes away")
    for bits in optional:
        if segment_type(bits) == _PUBLISHER_TYPE:
            yield from publisher_fields(bits, _PUBLISHER)
        else:
            yield from vendor_segment(bits, "DisclosedVendors", fields["DisclosedVendors"], "vendors disclosed")
