"""The rules for US sections once more, written down field by field from the specifications and ``docs``.

Slow and plain: it takes decoded fields, moves them to the national layout, and asks one question after the other.
"""

from collections.abc import Mapping
from typing import Any

from tests.targeting.signals.gpp.gpp_vectors import LibrarySection

PROFILE, POSITION, EVERYTHING = 1, 2, 7

_EIGHT = {number: [number] for number in range(1, 9)}

SENSITIVE: dict[str, dict[int, list[int]]] = {
    "usnat": {number: [number] for number in range(1, 17)},
    "usca": {1: [9], 2: [10], 3: [8], 4: [1, 2, 11], 5: [12], 6: [6], 7: [7], 8: [3], 9: [4]},
    "usco": {number: [number] for number in range(1, 8)},
    "usut": {1: [1], 2: [2], 3: [4], 4: [5], 5: [3], 6: [6], 7: [7], 8: [8]},
    "usor": {1: [1], 2: [2], 3: [3], 4: [4], 5: [16], 6: [5], 7: [15], 8: [14], 9: [6], 10: [7], 11: [8]},
    "usde": {**_EIGHT, 9: [16]},
    "usnj": {**_EIGHT, 9: [16], 10: [10]},
    "usmd": {},
}
"""By section, the national categories of each number. The sections that are not here have the first eight."""

SENSITIVE_NOTICES = ("SensitiveDataProcessingOptOutNotice", "SensitiveDataOptOutNotice", "SensitiveDataLimitUseNotice")

UNDER_13, FROM_13_TO_15, FROM_16_TO_17 = "under 13", "13 to 15", "16 to 17"
_CHILD_AND_TEENS = [UNDER_13, FROM_13_TO_15, FROM_13_TO_15]

AGES: dict[str, list[str]] = {
    "usnat": [FROM_13_TO_15, UNDER_13, FROM_16_TO_17],
    # Less than 16: who may be under 13 is treated so.
    "usca": [UNDER_13, UNDER_13],
    "usct": _CHILD_AND_TEENS,
    "usmt": _CHILD_AND_TEENS,
    "usor": _CHILD_AND_TEENS,
    "usnh": _CHILD_AND_TEENS,
    "usfl": [UNDER_13, FROM_13_TO_15, FROM_16_TO_17],
    "usde": [*_CHILD_AND_TEENS, FROM_16_TO_17, FROM_16_TO_17],
    "usnj": [*_CHILD_AND_TEENS, FROM_16_TO_17, FROM_16_TO_17],
}
"""By section, whom each number of KnownChildSensitiveDataConsents is about; elsewhere, children under 13."""


def _refused(value: int) -> bool:
    return value in {1, 3}


def _not_given(value: int) -> bool:
    return value in {2, 3}


def _child(section: LibrarySection, fields: Mapping[str, Any]) -> bool:
    values = fields.get("KnownChildSensitiveDataConsents", 0)
    values = [values] if isinstance(values, int) else values
    ages = AGES.get(section.name, [UNDER_13])[: len(values)]
    by_age: dict[str, list[int]] = {}
    for age, value in zip(ages, values, strict=True):
        by_age.setdefault(age, []).append(value)
    if any(by_age.pop(UNDER_13, [])):
        return True
    # Known to be of that age, and not every consent that there is for it was given.
    return any(any(consents) and any(consent != 2 for consent in consents) for consents in by_age.values())


def _sensitive(section: LibrarySection, fields: Mapping[str, Any]) -> dict[int, list[int]]:
    """The values by national category."""
    national: dict[int, list[int]] = {}
    for number, value in enumerate(fields.get("SensitiveDataProcessing", []), 1):
        for category in SENSITIVE.get(section.name, _EIGHT)[number]:
            national.setdefault(category, []).append(value)
    return national


def _opted_out(fields: Mapping[str, Any], choice: str, *notices: str) -> bool:
    if choice in fields and _refused(fields[choice]):
        return True
    given = [fields[notice] for notice in notices if notice in fields]
    if any(_not_given(notice) for notice in given):
        return True
    return bool(fields.get(choice) == 2 and 0 in given)


def withheld(section: LibrarySection, fields: Mapping[str, Any]) -> int:
    """What a section withholds, as a mask."""
    unrelated = fields.get("PersonalDataConsents", fields.get("AdditionalDataProcessingConsent", 0))
    if (
        _child(section, fields)
        or fields.get("Gpc", False)
        or _not_given(unrelated)
        or _refused(fields.get("MspaServiceProviderMode", 0))
        or _not_given(fields.get("MspaMode", 0))
    ):
        return EVERYTHING
    sensitive = _sensitive(section, fields)
    mask = 0
    if (
        _opted_out(fields, "SaleOptOut", "SaleOptOutNotice")
        or _opted_out(fields, "SharingOptOut", "SharingOptOutNotice", "SharingNotice")
        or _opted_out(fields, "TargetedAdvertisingOptOut", "TargetedAdvertisingOptOutNotice")
        or _not_given(fields.get("ProcessingNotice", 1))
        or any(_not_given(fields.get(notice, 1)) for notice in SENSITIVE_NOTICES)
        or any(any(sensitive.get(category, [])) for category in (6, 7, 9, 10, 12, 14, 16))
        or any(any(map(_refused, sensitive.get(category, []))) for category in (1, 2, 3, 4, 5, 11, 13, 15))
    ):
        mask |= PROFILE
    positions = sensitive.get(8, [])
    without_notice = any(fields.get(notice) == 0 for notice in SENSITIVE_NOTICES)
    if any(map(_refused, positions)) or (without_notice and 2 in positions):
        mask |= POSITION
    return mask
