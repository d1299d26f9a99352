"""Consent strings field by field: the name in its specification, the bits, the value, and what it says in words.

For people who ask why; no decision uses it. The fields of lists, whose place varies, are given without bits.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from targeting.signals.gpp.decode import decode_gpp_string
from targeting.signals.gpp.layouts import LAYOUTS, VERSION_BITS, Layout
from targeting.signals.gpp.string import TCF
from targeting.signals.tcf.decode import decode_tc_string, to_json
from targeting.signals.us_privacy import read_us_privacy

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_MOST_IDS: Final = 12


class DecodedField(NamedTuple):
    """One field. ``bits`` is empty for a list whose place varies, and for texts."""

    name: str
    bits: str
    value: str
    words: str


class _TcField(NamedTuple):
    """A field of the TC string's core: its name, first bit and width, its key in the decoded form, and its meaning."""

    name: str
    first: int
    width: int
    key: str
    words: str


# IAB "Consent string and vendor list formats v2", section "The core string".
_TC_FIELDS: Final = (
    _TcField("Version", 0, 6, "version", "version of the format"),
    _TcField("Created", 6, 36, "created", "when consent was first asked for"),
    _TcField("LastUpdated", 42, 36, "lastUpdated", "when it last changed"),
    _TcField("CmpId", 78, 12, "cmpId", "the consent tool"),
    _TcField("CmpVersion", 90, 12, "cmpVersion", "the version of the consent tool"),
    _TcField("ConsentScreen", 102, 6, "consentScreen", "the screen on which the person answered"),
    _TcField("ConsentLanguage", 108, 12, "consentLanguage", "the language of the dialogue"),
    _TcField("VendorListVersion", 120, 12, "vendorListVersion", "the vendor list that the dialogue showed"),
    _TcField("TcfPolicyVersion", 132, 6, "policyVersion", "the TCF policies that applied"),
    _TcField("IsServiceSpecific", 138, 1, "isServiceSpecific", "for this site alone; a string that says no is invalid"),
    _TcField("UseNonStandardTexts", 139, 1, "useNonStandardTexts", "the dialogue had its own texts"),
    _TcField("SpecialFeatureOptIns", 140, 12, "specialFeatureOptins", "special features; 1 is precise position"),
    _TcField("PurposesConsent", 152, 24, "purposeConsents", "purposes consented to"),
    _TcField("PurposesLITransparency", 176, 24, "purposeLegitimateInterests", "legitimate interests shown"),
    _TcField("PurposeOneTreatment", 200, 1, "purposeOneTreatment", "purpose 1 was not asked about"),
    _TcField("PublisherCC", 201, 12, "publisherCountryCode", "the country of the publisher"),
)
_TC_LISTS: Final = (
    ("VendorConsents", "vendorConsents", "consent"),
    ("VendorLegitimateInterests", "vendorLegitimateInterests", "legitimate interest"),
)

_US_NOTICE: Final = {0: "not applicable", 1: "notice was given", 2: "notice was not given"}
_US_CHOICE: Final = {0: "not applicable", 1: "opted out", 2: "did not opt out"}
_US_CONSENT: Final = {0: "not applicable", 1: "no consent", 2: "consent"}
_US_YES: Final = {0: "not applicable", 1: "yes", 2: "no"}
_US_ANSWER: Final = {"-": "not applicable", "Y": "yes", "N": "no"}


def tc_string_in_words(text: str, vendor: int) -> list[DecodedField]:
    """Explain a TC string, with what it says of one vendor. Raises ``Unreadable``."""
    decoded: dict[str, Any] = dict(to_json(decode_tc_string(text)))
    core = bits_of(text.partition(".")[0])
    fields = [
        DecodedField(field.name, core[field.first : field.first + field.width], _shown(decoded[field.key]), field.words)
        for field in _TC_FIELDS
    ]
    for name, key, kind in _TC_LISTS:
        has = "has" if vendor in decoded[key] else "does not have"
        fields.append(DecodedField(name, "", _shown(decoded[key]), f"vendor {vendor} {has} {kind}"))
    return fields + [
        DecodedField("PubRestrictions", "", _restriction(restriction), "what the publisher takes away")
        for restriction in decoded["publisherRestrictions"]
    ]


def gpp_string_in_words(text: str, vendor: int) -> dict[str, list[DecodedField]]:
    """Explain every section of a GPP string, by the section's id and name. Raises ``Unreadable``."""
    explained: dict[str, list[DecodedField]] = {}
    for section in decode_gpp_string(text)["sections"]:
        explained[f"{section['id']} {section['name']}"] = _section(section, vendor)
    return explained


def us_privacy_in_words(text: str) -> list[DecodedField]:
    """Explain a US Privacy string. Raises ``Unreadable``."""
    read = read_us_privacy(text)
    rows = (("Notice", read.notice, "notice and a way to opt out were given"),
            ("OptOutSale", read.opt_out_sale, "opted out of the sale"),
            ("LspaCovered", read.lspa, "covered by the Limited Service Provider Agreement"))  # fmt: skip
    version = DecodedField("Version", "", str(read.version), "version of the format")
    return [version, *(DecodedField(name, "", value, f"{words}: {_US_ANSWER[value]}") for name, value, words in rows)]


def bits_of(text: str) -> str:
    """Return the bits of a text in base64url (RFC 4648, section 5)."""
    return "".join(f"{_ALPHABET.index(each):06b}" for each in text.rstrip("="))


def _section(section: dict[str, Any], vendor: int) -> list[DecodedField]:
    raw, fields = section["raw"], section.get("fields", {})
    layouts = [each for each in LAYOUTS.get(section["id"], ()) if each.version in {None, fields.get("Version")}]
    if layouts:
        return list(_us_section(bits_of(raw.partition(".")[0]), layouts[0], fields))
    if section["id"] == TCF:
        return tc_string_in_words(raw, vendor)
    return [DecodedField(name, "", _shown(value), "") for name, value in fields.items()]


def _us_section(core: str, layout: Layout, fields: dict[str, Any]) -> Iterator[DecodedField]:
    yield DecodedField("Version", core[:VERSION_BITS], str(int(core[:VERSION_BITS], 2)), "version of the section")
    first = VERSION_BITS
    for field in layout.fields:
        for place, national in enumerate(field.national_names, start=1):
            value = int(core[first : first + 2] or "0", 2)
            name = f"{field.name}[{place}]" if field.listed else field.name
            yield DecodedField(name, core[first : first + 2], str(value), _us_words(national, value))
            first += 2
    if "Gpc" in fields:
        yield DecodedField("Gpc", "", _shown(fields["Gpc"]), "whether Global Privacy Control was on")


def _us_words(national: tuple[str, ...], value: int) -> str:
    name = national[0] if national else ""
    if "Notice" in name:
        meanings = _US_NOTICE
    elif "OptOut" in name and "Mspa" not in name:
        meanings = _US_CHOICE
    elif "Mspa" in name:
        meanings = _US_YES
    else:
        meanings = _US_CONSENT
    return meanings.get(value, "undefined; counts as the stricter")


def _restriction(restriction: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in restriction.items())


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        more = f" and {len(value) - _MOST_IDS} more" if len(value) > _MOST_IDS else ""
        return ", ".join(map(_shown, value[:_MOST_IDS])) + more or "none"
    return str(value)
