"""What each field of a US section withholds: the table of the rules, row by row, for nation and states.

A string starts from values that withhold nothing; each case changes the fields it is about.
"""

from typing import NamedTuple

import pytest

from targeting.signals.gpp.read import (
    GppReading,
    Withholds,
    read_gpp_string,
)
from tests.targeting.signals.gpp.gpp_encoder import us_string
from tests.targeting.signals.gpp.gpp_vectors import SECTIONS, LibrarySection, section

NOTHING, POSITION, PROFILE, EVERYTHING = (
    Withholds.NOTHING,
    Withholds.PRECISE_POSITION,
    Withholds.PROFILE_AND_IDS,
    Withholds.EVERYTHING,
)
SENSITIVE, CHILD = "SensitiveDataProcessing", "KnownChildSensitiveDataConsents"

Findings = set[tuple[str, int, Withholds]]


def read(section: LibrarySection, changes: dict[str, int]) -> GppReading:
    reading = read_gpp_string(us_string(section, changes), [section.section_id])
    assert reading.unreadable == ()
    return reading


def findings(reading: GppReading) -> Findings:
    return {(found.field, found.value, found.withholds) for found in reading.withholding_fields}


class Case(NamedTuple):
    changes: dict[str, int]
    withholds: Withholds


def case(withholds: Withholds, **changes: int) -> Case:
    return Case(changes, withholds)


NATIONAL = {
    "all notices given, no opt-out": case(NOTHING),
    "sold: opted out": case(PROFILE, SaleOptOut=1),
    "sold: not applicable": case(NOTHING, SaleOptOut=0),
    "sold: not applicable, neither is the notice": case(NOTHING, SaleOptOut=0, SaleOptOutNotice=0),
    "sold: no notice": case(PROFILE, SaleOptOutNotice=2),
    "sold: no notice, not applicable": case(PROFILE, SaleOptOut=0, SaleOptOutNotice=2),
    "sold: notice not applicable, but a choice": case(PROFILE, SaleOptOutNotice=0),
    "sold: reserved value": case(PROFILE, SaleOptOut=3),
    "sold: reserved value of the notice": case(PROFILE, SaleOptOutNotice=3),
    "shared: opted out": case(PROFILE, SharingOptOut=1),
    "shared: not applicable": case(NOTHING, SharingOptOut=0, SharingOptOutNotice=0, SharingNotice=0),
    "shared: no notice of the right": case(PROFILE, SharingOptOutNotice=2),
    "shared: notice of the right not applicable, but a choice": case(PROFILE, SharingOptOutNotice=0),
    "shared: no notice": case(PROFILE, SharingNotice=2),
    "shared: notice not applicable, but a choice": case(PROFILE, SharingNotice=0),
    "targeted: opted out": case(PROFILE, TargetedAdvertisingOptOut=1),
    "targeted: no notice": case(PROFILE, TargetedAdvertisingOptOutNotice=2),
    "targeted: notice not applicable, but a choice": case(PROFILE, TargetedAdvertisingOptOutNotice=0),
    "targeted: not applicable": case(NOTHING, TargetedAdvertisingOptOut=0, TargetedAdvertisingOptOutNotice=0),
    "sensitive data: no notice of the right": case(PROFILE, SensitiveDataProcessingOptOutNotice=2),
    "sensitive data: notice of the right not applicable": case(NOTHING, SensitiveDataProcessingOptOutNotice=0),
    "sensitive data: no notice of the limit": case(PROFILE, SensitiveDataLimitUseNotice=2),
    "sensitive data: notice of the limit not applicable": case(NOTHING, SensitiveDataLimitUseNotice=0),
    "sensitive data: reserved value of the notice": case(PROFILE, SensitiveDataLimitUseNotice=3),
    "position: consent without notice of the right": Case(
        {f"{SENSITIVE}[8]": 2, "SensitiveDataProcessingOptOutNotice": 0}, POSITION
    ),
    "position: consent without notice of the limit": Case(
        {f"{SENSITIVE}[8]": 2, "SensitiveDataLimitUseNotice": 0}, POSITION
    ),
    "position: not applicable, nor are the notices": Case(
        {f"{SENSITIVE}[8]": 0, "SensitiveDataProcessingOptOutNotice": 0, "SensitiveDataLimitUseNotice": 0}, NOTHING
    ),
    "position: consent, but no notice of the limit": Case(
        {f"{SENSITIVE}[8]": 2, "SensitiveDataLimitUseNotice": 2}, PROFILE
    ),
    "personal data: not applicable": case(NOTHING, PersonalDataConsents=0),
    "personal data: no consent": case(NOTHING, PersonalDataConsents=1),
    "personal data: consent to what was not announced": case(EVERYTHING, PersonalDataConsents=2),
    "personal data: reserved value": case(EVERYTHING, PersonalDataConsents=3),
    "service provider mode": case(EVERYTHING, MspaServiceProviderMode=1),
    "service provider mode: not applicable": case(NOTHING, MspaServiceProviderMode=0),
    "service provider mode: reserved value": case(EVERYTHING, MspaServiceProviderMode=3),
    "opt-out option mode": case(NOTHING, MspaOptOutOptionMode=1),
    "transaction not covered": case(NOTHING, MspaCoveredTransaction=2),
    "transaction: a value that is not defined": case(NOTHING, MspaCoveredTransaction=0),
    "GPC": case(EVERYTHING, Gpc=1),
    "GPC off": case(NOTHING, Gpc=0),
    "GPC in a sub-section of type 0": case(EVERYTHING, Gpc=1, GpcSegmentType=0),
    "two withheld add up": Case({"SaleOptOut": 1, f"{SENSITIVE}[8]": 1}, PROFILE | POSITION),
    "everything includes the rest": case(EVERYTHING, SaleOptOut=1, SensitiveDataLimitUseNotice=2, Gpc=1),
    **{
        f"category {category}: {what}": Case({f"{SENSITIVE}[{category}]": value}, withholds)
        for category, no, yes in [
            *((category, PROFILE, NOTHING) for category in (1, 2, 3, 4, 5, 11)),
            *((category, PROFILE, PROFILE) for category in (6, 7, 9, 10, 12)),
            (8, POSITION, NOTHING),
        ]
        for what, value, withholds in [("no consent", 1, no), ("consent", 2, yes), ("reserved value", 3, no)]
    },
    "13 to 15: no consent": Case({f"{CHILD}[1]": 1}, EVERYTHING),
    "13 to 15: consent": Case({f"{CHILD}[1]": 2}, NOTHING),
    "13 to 15: reserved value": Case({f"{CHILD}[1]": 3}, EVERYTHING),
    "under 13: no consent": Case({f"{CHILD}[2]": 1}, EVERYTHING),
    "under 13: consent": Case({f"{CHILD}[2]": 2}, EVERYTHING),
    "under 13: reserved value": Case({f"{CHILD}[2]": 3}, EVERYTHING),
}
ONLY_NATIONAL_2 = {
    **{
        f"category {category}: {what}": Case({f"{SENSITIVE}[{category}]": value}, withholds)
        for category, yes in [(13, NOTHING), (14, PROFILE), (15, NOTHING), (16, PROFILE)]
        for what, value, withholds in [("no consent", 1, PROFILE), ("consent", 2, yes)]
    },
    "16 to 17: no consent": Case({f"{CHILD}[3]": 1}, EVERYTHING),
    "16 to 17: consent": Case({f"{CHILD}[3]": 2}, NOTHING),
}


@pytest.mark.parametrize("one", NATIONAL.values(), ids=NATIONAL)
@pytest.mark.parametrize("version", [1, 2])
def test_national_section(one: Case, version: int) -> None:
    reading = read(section(7, version), one.changes)
    assert reading.withholds == one.withholds
    assert bool(reading.withholding_fields) == bool(one.withholds)


@pytest.mark.parametrize("one", ONLY_NATIONAL_2.values(), ids=ONLY_NATIONAL_2)
def test_what_only_version_2_has(one: Case) -> None:
    assert read(section(7, 2), one.changes).withholds == one.withholds


NONE_OF_13_TO_16: dict[str, int] = {f"{SENSITIVE}[{category}]": 0 for category in (13, 14, 15, 16)}
"""Categories that only version 2 has. Version 1 has known children and the MSPA in their place."""


@pytest.mark.parametrize(
    ("changes", "withholds"),
    [
        pytest.param({}, NOTHING, id="nothing in either layout"),
        pytest.param({f"{SENSITIVE}[1]": 1}, PROFILE, id="the same in both"),
        pytest.param({f"{CHILD}[1]": 1}, EVERYTHING, id="a teen by version 2"),
        pytest.param({f"{CHILD}[2]": 2}, EVERYTHING, id="a child by version 2"),
        pytest.param({f"{SENSITIVE}[14]": 2}, EVERYTHING, id="a child by version 1"),
        pytest.param({f"{SENSITIVE}[15]": 2}, EVERYTHING, id="personal data by version 1"),
    ],
)
def test_a_core_of_version_1_that_fits_both_layouts_is_read_as_both(
    changes: dict[str, int], withholds: Withholds
) -> None:
    written = section(7, 2)._replace(version=1)
    reading = read(written, {"MspaServiceProviderMode": 0, **NONE_OF_13_TO_16, **changes})
    assert reading.withholds == withholds
    assert bool(reading.withholding_fields) == bool(withholds)


def test_version_2_is_not_read_with_the_layout_of_version_1() -> None:
    assert read(section(7, 2), {f"{SENSITIVE}[15]": 2}).withholds == NOTHING


class StateCase(NamedTuple):
    section: str
    changes: dict[str, int]
    withholds: Withholds
    findings: Findings


def state(label: str, changes: dict[str, int], withholds: Withholds, *fields: str) -> StateCase:
    """The fields are those of the national section; each finding has the value and withholds what the case does."""
    value = next(iter(changes.values()))
    return StateCase(label, changes, withholds, {(field, value, withholds) for field in fields})


STATES = [
    state("usca", {f"{SENSITIVE}[1]": 1}, PROFILE, f"{SENSITIVE}[9]"),
    state("usca", {f"{SENSITIVE}[1]": 2}, PROFILE, f"{SENSITIVE}[9]"),
    state("usca", {f"{SENSITIVE}[2]": 2}, PROFILE, f"{SENSITIVE}[10]"),
    state("usca", {f"{SENSITIVE}[3]": 1}, POSITION, f"{SENSITIVE}[8]"),
    state("usca", {f"{SENSITIVE}[3]": 2}, NOTHING),
    state("usca", {f"{SENSITIVE}[4]": 1}, PROFILE, *(f"{SENSITIVE}[{category}]" for category in (1, 2, 11))),
    state("usca", {f"{SENSITIVE}[4]": 2}, NOTHING),
    state("usca", {f"{SENSITIVE}[5]": 2}, PROFILE, f"{SENSITIVE}[12]"),
    state("usca", {f"{SENSITIVE}[8]": 1}, PROFILE, f"{SENSITIVE}[3]"),
    state("usca", {f"{SENSITIVE}[8]": 2}, NOTHING),
    state("usca", {f"{SENSITIVE}[9]": 1}, PROFILE, f"{SENSITIVE}[4]"),
    state("usca", {f"{CHILD}[1]": 2, f"{CHILD}[2]": 2}, EVERYTHING, f"{CHILD}[2]"),
    state("usca", {f"{CHILD}[2]": 1}, EVERYTHING, f"{CHILD}[1]", f"{CHILD}[2]"),
    state("usca", {"SharingOptOut": 1}, PROFILE, "SharingOptOut"),
    state("usca", {"SensitiveDataLimitUseNotice": 2}, PROFILE, "SensitiveDataLimitUseNotice"),
    state("usca", {"PersonalDataConsents": 2}, EVERYTHING, "PersonalDataConsents"),
    state("usca", {"Gpc": 1}, EVERYTHING, "Gpc"),
    state("usva", {CHILD: 2}, EVERYTHING, f"{CHILD}[2]"),
    state("usva", {"SharingNotice": 2}, PROFILE, "SharingNotice"),
    state("usva", {"TargetedAdvertisingOptOut": 1}, PROFILE, "TargetedAdvertisingOptOut"),
    state("usco", {f"{SENSITIVE}[7]": 2}, PROFILE, f"{SENSITIVE}[7]"),
    state("usut", {f"{SENSITIVE}[3]": 1}, PROFILE, f"{SENSITIVE}[4]"),
    state("usut", {f"{SENSITIVE}[5]": 1}, PROFILE, f"{SENSITIVE}[3]"),
    state("usut", {f"{SENSITIVE}[8]": 1}, POSITION, f"{SENSITIVE}[8]"),
    state("usut", {"SensitiveDataProcessingOptOutNotice": 2}, PROFILE, "SensitiveDataProcessingOptOutNotice"),
    state("usct", {f"{CHILD}[1]": 2}, EVERYTHING, f"{CHILD}[2]"),
    state("usct", {f"{CHILD}[2]": 2, f"{CHILD}[3]": 2}, NOTHING),
    state("usct", {f"{CHILD}[2]": 2}, EVERYTHING, f"{CHILD}[1]"),
    state("usct", {f"{CHILD}[3]": 1}, EVERYTHING, f"{CHILD}[1]"),
    state("usfl", {f"{CHILD}[1]": 2}, EVERYTHING, f"{CHILD}[2]"),
    state("usfl", {f"{CHILD}[2]": 1}, EVERYTHING, f"{CHILD}[1]"),
    state("usfl", {f"{CHILD}[2]": 2}, NOTHING),
    state("usfl", {f"{CHILD}[3]": 1}, EVERYTHING, f"{CHILD}[3]"),
    state("usfl", {"ProcessingNotice": 2}, PROFILE, "SharingNotice"),
    state("usfl", {"AdditionalDataProcessingConsent": 2}, EVERYTHING, "PersonalDataConsents"),
    state("usmt", {"SharingNotice": 2}, PROFILE, "SharingNotice"),
    state("usor", {f"{SENSITIVE}[5]": 2}, PROFILE, f"{SENSITIVE}[16]"),
    state("usor", {f"{SENSITIVE}[6]": 1}, PROFILE, f"{SENSITIVE}[5]"),
    state("usor", {f"{SENSITIVE}[6]": 2}, NOTHING),
    state("usor", {f"{SENSITIVE}[8]": 2}, PROFILE, f"{SENSITIVE}[14]"),
    state("usor", {f"{SENSITIVE}[9]": 2}, PROFILE, f"{SENSITIVE}[6]"),
    state("usor", {f"{SENSITIVE}[11]": 1}, POSITION, f"{SENSITIVE}[8]"),
    state("ustx", {CHILD: 1}, EVERYTHING, f"{CHILD}[2]"),
    state("usde", {f"{SENSITIVE}[9]": 2}, PROFILE, f"{SENSITIVE}[16]"),
    state("usde", {f"{CHILD}[4]": 2, f"{CHILD}[5]": 2}, NOTHING),
    state("usde", {f"{CHILD}[4]": 2}, EVERYTHING, f"{CHILD}[3]"),
    state("usia", {"SensitiveDataOptOutNotice": 2}, PROFILE, "SensitiveDataProcessingOptOutNotice"),
    state("usia", {f"{SENSITIVE}[1]": 1}, PROFILE, f"{SENSITIVE}[1]"),
    state("usnj", {f"{SENSITIVE}[10]": 2}, PROFILE, f"{SENSITIVE}[10]"),
    state("usmd", {"MspaMode": 2}, EVERYTHING, "MspaMode"),
    state("usmd", {"MspaMode": 1}, NOTHING),
    state("usmd", {"Gpc": 1}, EVERYTHING, "Gpc"),
    state("usin", {f"{SENSITIVE}[8]": 1}, POSITION, f"{SENSITIVE}[8]"),
    state("usky", {f"{SENSITIVE}[6]": 2}, PROFILE, f"{SENSITIVE}[6]"),
    state("usri", {CHILD: 2}, EVERYTHING, f"{CHILD}[2]"),
]


@pytest.mark.parametrize("one", STATES, ids=lambda one: f"{one.section} {one.changes}")
def test_state_section(one: StateCase) -> None:
    found = next(section for section in SECTIONS if section.name == one.section)
    reading = read(found, one.changes)
    assert reading.withholds == one.withholds
    assert findings(reading) == one.findings


EVERYWHERE = {
    "SaleOptOut": (1, PROFILE),
    "TargetedAdvertisingOptOut": (1, PROFILE),
    "SharingOptOut": (1, PROFILE),
    "SaleOptOutNotice": (2, PROFILE),
    "TargetedAdvertisingOptOutNotice": (0, PROFILE),
    "SharingNotice": (2, PROFILE),
    "ProcessingNotice": (2, PROFILE),
    "PersonalDataConsents": (2, EVERYTHING),
    "AdditionalDataProcessingConsent": (2, EVERYTHING),
    "MspaServiceProviderMode": (1, EVERYTHING),
    "MspaMode": (2, EVERYTHING),
    "MspaCoveredTransaction": (2, NOTHING),
    "MspaOptOutOptionMode": (1, NOTHING),
}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.label)
def test_fields_mean_the_same_in_every_section_that_has_them(section: LibrarySection) -> None:
    assert read(section, {}).withholds == NOTHING
    for name, (value, withholds) in EVERYWHERE.items():
        if name in section.fields:
            assert read(section, {name: value}).withholds == withholds, name


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.label)
def test_gpc_counts_in_every_section_that_has_it(section: LibrarySection) -> None:
    reading = read(section, {"Gpc": 1})
    assert (reading.withholds == EVERYTHING) == (section.extra == "Gpc")


WHOLE = {
    "DBABLA~BVQqAAAAAg": (7, NOTHING),
    "DBABLA~BVQqAAAAAg.QA": (7, NOTHING),
    "DBABLA~BVQqAAAAAg.YA": (7, EVERYTHING),
    "DBABLA~BVQVAAAAAg": (7, PROFILE),
    "DBABLA~BVVqAAAAAAA.QA": (7, NOTHING),
}


@pytest.mark.parametrize(("text", "expected"), WHOLE.items(), ids=WHOLE)
def test_whole_strings(text: str, expected: tuple[int, Withholds]) -> None:
    section_id, withholds = expected
    assert read_gpp_string(text, [section_id]).withholds == withholds
