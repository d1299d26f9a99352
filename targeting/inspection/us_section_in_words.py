"""A section of US law in a GPP string field by field (IAB GPP, "Sections/US-National" and "Sections/US-States").

For people who ask why; no decision uses it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from targeting.inspection.decoded_field import DecodedField, bits_of, shown
from targeting.signals.gpp.layouts import SENSITIVE_SEGMENT_FIELDS, VERSION_BITS, Field, OptionalSegment
from targeting.signals.gpp.us import read_us_section

_NOTICE: Final = {0: "not applicable", 1: "notice was given", 2: "notice was not given"}
_CHOICE: Final = {0: "not applicable", 1: "opted out", 2: "did not opt out"}
_CONSENT: Final = {0: "not applicable", 1: "no consent", 2: "consent"}
_YES: Final = {0: "not applicable", 1: "yes", 2: "no"}


def us_section_in_words(section: Mapping[str, Any]) -> Iterator[DecodedField]:
    """Yield the fields of a decoded section, in the layout that the decision reads."""
    layout, fields = read_us_section(section["id"], section["raw"]).prepared.layout, section["fields"]
    texts = dict(zip(section["segments"], section["raw"].split("."), strict=True))
    if "Header" in texts:
        yield from _header(bits_of(texts["Header"]), fields)
    core = bits_of(texts["Core"])
    name = "Version" if layout.version is not None else "MspaVersion"
    words = "version of the section" if layout.version is not None else "version of the MSPA"
    yield DecodedField(name, core[:VERSION_BITS], str(int(core[:VERSION_BITS], 2)), words)
    yield from _numbers(layout.fields, core[VERSION_BITS:])
    optional = layout.optional_segment
    if optional.value in texts:
        bits = bits_of(texts[optional.value])
        yield from (
            _global_privacy_control(bits)
            if optional is OptionalSegment.GPC
            else _numbers(SENSITIVE_SEGMENT_FIELDS, bits)
        )


def _header(bits: str, fields: Mapping[str, Any]) -> Iterator[DecodedField]:
    yield DecodedField("SectionID", bits[:6], str(fields["SectionID"]), "the section that this header begins")
    yield DecodedField("Version", bits[6:12], str(fields["Version"]), "version of the section")
    yield DecodedField("SubSections", "", shown(fields["SubSections"]), "the sub-sections that follow")


def _global_privacy_control(bits: str) -> Iterator[DecodedField]:
    yield DecodedField("GpcSegmentType", bits[:2], str(int(bits[:2], 2)), "type of the sub-section")
    yield DecodedField("Gpc", bits[2:3], shown(bits[2] == "1"), "whether Global Privacy Control was on")


def _numbers(fields: tuple[Field, ...], bits: str) -> Iterator[DecodedField]:
    first = 0
    for field in fields:
        for place, national in enumerate(field.national_names, start=1):
            value = int(bits[first : first + 2], 2)
            name = f"{field.name}[{place}]" if field.listed else field.name
            yield DecodedField(name, bits[first : first + 2], str(value), _words(national[0], value))
            first += 2


def _words(name: str, value: int) -> str:
    if "Notice" in name:
        meanings = _NOTICE
    elif "OptOut" in name and "Mspa" not in name:
        meanings = _CHOICE
    elif "Mspa" in name:
        meanings = _YES
    else:
        meanings = _CONSENT
    return meanings.get(value, "undefined; counts as the stricter")
