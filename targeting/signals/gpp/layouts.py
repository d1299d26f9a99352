"""The sections of US law in a GPP string, as data: their fields, and what each means in the national section.

From the specifications under ``Sections/US-National`` and ``Sections/US-States`` of the IAB's Global
Privacy Platform, one file per state, as of December 2025. After six bits of version, every field is one or
several numbers of two bits. The states name and number the same things differently; ``Field.national_names``
holds, for each number, its names in the national section (version 2), which are the names that the rules use.

Invariant: order and counts are those of the wire format. Knows nothing of the effect of a value.
"""

from enum import Enum
from typing import NamedTuple

VERSION_BITS = 6


class Field(NamedTuple):
    """A field of the wire format: the national names of each of its numbers; ``listed`` if its value is a list."""

    name: str
    national_names: tuple[tuple[str, ...], ...]
    listed: bool = False


class OptionalSegment(Enum):
    """The optional sub-section after the core; the value is the name of its segment."""

    NONE = "-"
    GPC = "Gpc"
    SENSITIVE = "SensitiveDataConsent"


class Layout(NamedTuple):
    """One version of a section. ``version`` None: the core begins with the MSPA's version, not its own."""

    section_id: int
    name: str
    version: int | None
    fields: tuple[Field, ...]
    optional_segment: OptionalSegment


SENSITIVE = "SensitiveDataProcessing"
CHILDREN = "KnownChildSensitiveDataConsents"
TEEN, UNDER_13, OLDER_TEEN = f"{CHILDREN}[1]", f"{CHILDREN}[2]", f"{CHILDREN}[3]"
"""Ages 13 to 15, under 13, and 16 to 17. A "known child" of no stated age is under 13, as in COPPA."""

_AGES = {"teen": TEEN, "child": UNDER_13, "older": OLDER_TEEN}
_RENAMED = {
    "ProcessingNotice": "SharingNotice",
    "SensitiveDataOptOutNotice": "SensitiveDataProcessingOptOutNotice",
    # "Not Reasonably Necessary for nor Compatible with the Disclosed Purpose(s)", as in the national section.
    "AdditionalDataProcessingConsent": "PersonalDataConsents",
}

# Shared by several sections, in the order of the wire format.
_TARGETED = "TargetedAdvertisingOptOutNotice"
_CHOICES = "SaleOptOut TargetedAdvertisingOptOut"
_2022 = f"SharingNotice SaleOptOutNotice {_TARGETED} {_CHOICES}"
_2024 = f"ProcessingNotice SaleOptOutNotice {_TARGETED} {_CHOICES}"
_2025 = f"MspaCoveredTransaction MspaMode {_2024}"
_UTAH = f"SharingNotice SaleOptOutNotice {_TARGETED} SensitiveDataProcessingOptOutNotice {_CHOICES}"
_IOWA = f"ProcessingNotice SaleOptOutNotice {_TARGETED} SensitiveDataOptOutNotice {_CHOICES}"
_CALIFORNIA = "SaleOptOutNotice SharingOptOutNotice SensitiveDataLimitUseNotice SaleOptOut SharingOptOut"
_NATIONAL = (
    f"SharingNotice SaleOptOutNotice SharingOptOutNotice {_TARGETED} SensitiveDataProcessingOptOutNotice "
    "SensitiveDataLimitUseNotice SaleOptOut SharingOptOut TargetedAdvertisingOptOut"
)
_MSPA = "MspaCoveredTransaction MspaOptOutOptionMode MspaServiceProviderMode"
_PERSONAL = f"PersonalDataConsents {_MSPA}"
_ADDITIONAL = f"AdditionalDataProcessingConsent {_MSPA}"
_EIGHT = "1 2 3 4 5 6 7 8"


def _national_names(tokens: str, names: dict[str, str]) -> tuple[str, ...]:
    return tuple(names.get(token, f"{SENSITIVE}[{token}]") for token in tokens.split("+"))


def _numbers(names: str) -> tuple[Field, ...]:
    return tuple(Field(name, ((_RENAMED.get(name, name),),)) for name in names.split())


def _tokens(name: str, tokens: str) -> tuple[Field, ...]:
    national_names = tuple(_national_names(token, _AGES) for token in tokens.split())
    listed = name == SENSITIVE or len(national_names) > 1
    return (Field(name, national_names, listed),) if national_names else ()


def _layout(label: str, head: str, sensitive: str, children: str, tail: str) -> Layout:
    """Build a layout; ``label`` holds its id, name, version and optional segment.

    ``sensitive`` and ``children`` are in national terms; a plus joins the meanings of a number that has several.
    """
    section_id, name, version, segment = label.split()
    fields = (*_numbers(head), *_tokens(SENSITIVE, sensitive), *_tokens(CHILDREN, children), *_numbers(tail))
    return Layout(
        section_id=int(section_id),
        name=name,
        version=int(version) if version.isdigit() else None,
        fields=fields,
        optional_segment=OptionalSegment(segment),
    )


_TWELVE = f"{_EIGHT} 9 10 11 12"
_LAYOUTS = (
    _layout("7 usnat 1 Gpc", _NATIONAL, _TWELVE, "teen child", _PERSONAL),
    _layout("7 usnat 2 Gpc", _NATIONAL, f"{_TWELVE} 13 14 15 16", "teen child older", _PERSONAL),
    # California's category 4 is origin, beliefs or union membership; its children are "Less Than 16", of any age.
    _layout("8 usca 1 Gpc", _CALIFORNIA, "9 10 8 1+2+11 12 6 7 3 4", "teen+child teen+child", _PERSONAL),
    _layout("9 usva 1 -", _2022, _EIGHT, "child", _MSPA),
    _layout("10 usco 1 Gpc", _2022, "1 2 3 4 5 6 7", "child", _MSPA),
    _layout("11 usut 1 -", _UTAH, "1 2 4 5 3 6 7 8", "child", _MSPA),
    # Two fields for one age are the consent to sale and the consent to targeted advertising.
    _layout("12 usct 1 Gpc", _2022, _EIGHT, "child teen teen", _MSPA),
    _layout("13 usfl 1 -", _2024, _EIGHT, "child teen older", _ADDITIONAL),
    _layout("14 usmt 1 Gpc", _2022, _EIGHT, "child teen teen", _ADDITIONAL),
    _layout("15 usor 1 Gpc", _2024, "1 2 3 4 16 5 15 14 6 7 8", "child teen teen", _ADDITIONAL),
    _layout("16 ustx 1 Gpc", _2024, _EIGHT, "child", _ADDITIONAL),
    _layout("17 usde 1 Gpc", _2024, f"{_EIGHT} 16", "child teen teen older older", _ADDITIONAL),
    _layout("18 usia 1 Gpc", _IOWA, _EIGHT, "child", _MSPA),
    _layout("19 usne 1 Gpc", _2024, _EIGHT, "child", _ADDITIONAL),
    _layout("20 usnh 1 Gpc", _2024, _EIGHT, "child teen teen", _ADDITIONAL),
    _layout("21 usnj 1 Gpc", _2024, f"{_EIGHT} 16 10", "child teen teen older older", _ADDITIONAL),
    _layout("22 ustn 1 Gpc", _2024, _EIGHT, "child", _ADDITIONAL),
    _layout("23 usmn 1 Gpc", _2024, _EIGHT, "child", _ADDITIONAL),
    # Public comment, October 2025. The version moved to a header that the official library leaves out.
    _layout("24 usmd mspa Gpc", _2025, "", "", "AdditionalDataProcessingConsent"),
    _layout("25 usin mspa SensitiveDataConsent", _2025, "", "child", "AdditionalDataProcessingConsent"),
    _layout("26 usky mspa SensitiveDataConsent", _2025, "", "child", "AdditionalDataProcessingConsent"),
    _layout("27 usri mspa SensitiveDataConsent", _2025, "", "child", "AdditionalDataProcessingConsent"),
)

LAYOUTS: dict[int, tuple[Layout, ...]] = {
    layout.section_id: tuple(other for other in _LAYOUTS if other.section_id == layout.section_id)
    for layout in _LAYOUTS
}
"""The layouts of each section, one per version."""

SENSITIVE_SEGMENT_FIELDS = _tokens(SENSITIVE, _EIGHT)
"""The fields of the sub-section ``OptionalSegment.SENSITIVE``, which has no version and no type."""
