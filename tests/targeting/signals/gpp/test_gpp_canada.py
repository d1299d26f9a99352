"""Section 5, in all the ways in which it was written."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targeting.signals.gpp.canada import MAX_CHECKED_CHARACTERS, MAX_CHECKED_ENTRIES, read_canadian_consent
from targeting.signals.gpp.decode import decode_gpp_string
from targeting.signals.gpp.read import Withholds, read_gpp_string
from targeting.signals.unreadable import GivenUp, Unreadable
from tests.targeting.signals.gpp.gpp_encoder import (
    WAYS,
    canadian_core,
    canadian_fields,
    canadian_section,
    characters,
    fibonacci,
    uint,
)
from tests.targeting.signals.gpp.gpp_encoder import gpp as encode

UNTIMED = settings(deadline=None)

LISTS = {
    "no vendor": canadian_fields(),
    "singles": canadian_fields(VendorExpressConsent=[3, 77, 1200], VendorImpliedConsent=[65_535]),
    "groups": canadian_fields(VendorExpressConsent=[*range(500, 900)], VendorImpliedConsent=[1, 2, 3]),
    "everybody": canadian_fields(VendorExpressConsent=[*range(1, 65_536)]),
    "every other": canadian_fields(VendorImpliedConsent=[*range(1, 800, 2)]),
    "restrictions": canadian_fields(
        VendorExpressConsent=[755],
        PubRestrictions=[
            {"key": 3, "type": 0, "ids": [755, 756, 1000]},
            {"key": 63, "type": 3, "ids": []},
        ],
    ),
    "disclosed vendors alone": canadian_fields(DisclosedVendors=[10, 4000]),
    "all sub-sections": canadian_fields(
        VendorImpliedConsent=[9],
        PubPurposesExpressConsent=[True, False] * 12,
        PubPurposesImpliedConsent=[False] * 24,
        CustomPurposesExpressConsent=[True, True, False],
        CustomPurposesImpliedConsent=[False, True, False],
        DisclosedVendors=[10, 4000, 4001],
    ),
}


def decoded(section: str) -> dict[str, Any]:
    fields: dict[str, Any] = decode_gpp_string(encode({5: section}))["sections"][0]["fields"]
    return fields


@pytest.mark.parametrize("kind", [0, 2, 4, 7])
def test_a_sub_section_of_an_unknown_kind_is_not_read(kind: int) -> None:
    # What follows would fit a sub-section of each known kind.
    for rest in (uint(0, 24 + 24 + 6), WAYS["library"][0]([3, 9])):
        unknown = characters(uint(kind, 3) + rest, 8)
        with pytest.raises(Unreadable):
            read_canadian_consent(f"{canadian_section(canadian_fields())}.{unknown}")


@pytest.mark.parametrize("fields", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_writing_is_read(way: str, fields: dict[str, Any]) -> None:
    found = decoded(canadian_section(fields, way))
    written = {name: value for name, value in fields.items() if name not in {"Created", "LastUpdated"}}
    assert {name: found[name] for name in written} == written
    assert found["Created"] == "2023-11-14T22:13:20.000Z"
    assert found["LastUpdated"] == "2023-11-14T22:13:20.100Z"


IDS = st.sets(st.one_of(st.integers(1, 60), st.integers(1, 65_535)), max_size=20).map(sorted)
FLAGS = {
    name: st.lists(st.booleans(), min_size=size, max_size=size)
    for name, size in [
        ("SpecialFeatureExpressConsent", 12),
        ("PurposesExpressConsent", 24),
        ("PurposesImpliedConsent", 24),
    ]
}
RESTRICTIONS = st.lists(
    st.fixed_dictionaries({"key": st.integers(0, 63), "type": st.integers(0, 3), "ids": IDS}), max_size=3
)
FIELDS = st.fixed_dictionaries(
    {
        **FLAGS,
        "VendorExpressConsent": IDS,
        "VendorImpliedConsent": IDS,
        "PubRestrictions": RESTRICTIONS,
        "CmpId": st.integers(0, 4095),
        "UseNonStandardStacks": st.booleans(),
    }
)


@given(FIELDS)
@UNTIMED
def test_what_the_library_writes_is_read(changes: dict[str, Any]) -> None:
    found = decoded(canadian_section(canadian_fields(**changes)))
    assert {name: found[name] for name in changes} == changes


@given(FIELDS, st.sampled_from([*WAYS]))
@UNTIMED
def test_a_decision_reads_the_same_purposes_in_every_way(changes: dict[str, Any], way: str) -> None:
    section = canadian_section(canadian_fields(**changes), way)
    consent = read_canadian_consent(section)
    assert [consent.is_express(purpose) for purpose in range(1, 25)] == changes["PurposesExpressConsent"]
    assert [consent.has_feature(number) for number in range(1, 13)] == changes["SpecialFeatureExpressConsent"]


CONSENTS = {
    "all": ({}, {}, Withholds.NOTHING),
    "not purpose 3": ({3: False}, {}, Withholds.PROFILE_AND_IDS),
    "not purpose 4": ({4: False}, {}, Withholds.PROFILE_AND_IDS),
    "not purpose 2": ({2: False}, {}, Withholds.NOTHING),
    "not special feature 1": ({}, {1: False}, Withholds.PRECISE_POSITION),
    "not special feature 2": ({}, {2: False}, Withholds.NOTHING),
    "neither": ({4: False}, {1: False}, Withholds.PROFILE_AND_IDS | Withholds.PRECISE_POSITION),
}


@pytest.mark.parametrize(("purposes", "features", "withholds"), CONSENTS.values(), ids=CONSENTS)
def test_what_a_missing_express_consent_withholds(
    purposes: dict[int, bool], features: dict[int, bool], withholds: Withholds
) -> None:
    fields = canadian_fields(
        PurposesExpressConsent=[purposes.get(number, True) for number in range(1, 25)],
        SpecialFeatureExpressConsent=[features.get(number, True) for number in range(1, 13)],
        # Implied consent is no express consent.
        PurposesImpliedConsent=[True] * 24,
    )
    reading = read_gpp_string(encode({5: canadian_section(fields)}), [5])
    assert reading.withholds == withholds
    assert {(found.field, found.value) for found in reading.withholding_fields} == {
        *((f"PurposesExpressConsent[{number}]", 0) for number in purposes if number in {3, 4}),
        *((f"SpecialFeatureExpressConsent[{number}]", 0) for number in features if number == 1),
    }


CORE = canadian_core(canadian_fields(VendorExpressConsent=[2, 4, 6]))
PLAIN = canadian_section(canadian_fields())
PUBLISHER = characters(uint(3, 3) + "0" * 48 + uint(0, 6))
FIXED = canadian_core(canadian_fields())[:199]
BAD = {
    "version 2": characters(uint(2, 6) + CORE[6:]),
    "ends in the fixed fields": characters(CORE[:190]),
    "ends in the vendors": characters(CORE[:216]),
    "ends in the second vendors": characters(CORE[:225]),
    "something after the restrictions": characters(CORE + "0" * 30 + "1"),
    "much padding": characters(CORE + "0" * 60),
    "sub-section 2": f"{PLAIN}.{characters(uint(2, 3) + '0' * 9)}",
    "publisher purposes twice": f"{PLAIN}.{PUBLISHER}.{PUBLISHER}",
    "publisher purposes cut": f"{PLAIN}.{characters(uint(3, 3) + '0' * 45)}",
    "publisher purposes with custom ones cut": f"{PLAIN}.{characters(uint(3, 3) + '0' * 48 + uint(63, 6))}",
    "publisher purposes with something after": f"{PLAIN}.{PUBLISHER}AAAAAB",
    "disclosed vendors cut": f"{PLAIN}.{characters(uint(1, 3) + '0' * 6)}",
    "four sub-sections": ".".join([PLAIN, PUBLISHER, PUBLISHER, PUBLISHER]),
    "an empty sub-section": f"{PLAIN}.",
    "only a sub-section": PUBLISHER,
    "a vendor above 65,535": characters(FIXED + uint(0, 16) + "1" + uint(1, 12) + "0" + fibonacci(65_536) + "0" * 30),
    "a code without its end": characters(FIXED + uint(9, 16) + "1" + uint(1, 12) + "0" + "01" * 40),
}


@pytest.mark.parametrize("section", BAD.values(), ids=BAD)
def test_a_malformed_section_is_refused(section: str) -> None:
    with pytest.raises(Unreadable):
        read_canadian_consent(section)
    with pytest.raises(Unreadable):
        decoded(section)


def test_lists_that_end_below_the_highest_id_are_read_if_nothing_fits_better() -> None:
    section = characters(FIXED + uint(40, 16) + "0" + "1" + "0" * 39 + uint(0, 17) + uint(0, 12), 8)
    assert decoded(section)["VendorExpressConsent"] == [1]


def test_the_number_of_restrictions_may_be_left_out() -> None:
    assert decoded(characters(FIXED + uint(0, 17) + uint(0, 17)))["PubRestrictions"] == []


def test_ranges_of_the_old_library_may_overlap_and_be_empty() -> None:
    ranges = uint(4, 12) + "".join(
        "1" + uint(first, 16) + uint(last, 16) for first, last in [(30, 40), (5, 9), (8, 31), (7, 3)]
    )
    section = characters(FIXED + uint(40, 16) + "1" + ranges + uint(0, 17) + uint(0, 12), 8)
    assert decoded(section)["VendorExpressConsent"] == [*range(5, 41)]


GIVEN_UP = {
    "many vendors in a list": canadian_fields(VendorExpressConsent=[*range(5000, 60_000, 200)]),
    "many restrictions": canadian_fields(PubRestrictions=[{"key": 2, "type": 0, "ids": []}] * 60),
    "a long bit field": canadian_fields(VendorImpliedConsent=[*range(1, 20_000, 2)]),
}


@pytest.mark.parametrize("fields", GIVEN_UP.values(), ids=GIVEN_UP)
def test_what_takes_long_is_given_up_by_a_decision_only(fields: dict[str, Any]) -> None:
    section = canadian_section(fields)
    found = decoded(section)
    assert {name: found[name] for name in fields if name.startswith(("Vendor", "Pub"))} == {
        name: value for name, value in fields.items() if name.startswith(("Vendor", "Pub"))
    }
    reading = read_gpp_string(encode({5: section}), [5])
    assert reading.unreadable == (5,)
    assert reading.withholds == Withholds.EVERYTHING


def test_the_longest_lists_that_a_decision_reads() -> None:
    section = canadian_section(canadian_fields(VendorExpressConsent=[*range(1, 16_000, 100)]))
    assert read_gpp_string(encode({5: section}), [5]).unreadable == ()
    section = canadian_section(canadian_fields(VendorExpressConsent=[*range(1, 16_100, 100)]))
    assert read_gpp_string(encode({5: section}), [5]).unreadable == (5,)


def test_the_number_of_entries_and_characters_that_a_decision_reads() -> None:
    longest = canadian_fields(VendorExpressConsent=[*range(1, 16_000, 100)])
    assert len(longest["VendorExpressConsent"]) == MAX_CHECKED_ENTRIES == 160
    for length, error in ((MAX_CHECKED_CHARACTERS, Unreadable), (MAX_CHECKED_CHARACTERS + 1, GivenUp)):
        with pytest.raises(Unreadable) as problem:
            read_canadian_consent("?" * length)
        assert type(problem.value) is error


def test_more_vendors_than_can_be_listed_are_refused() -> None:
    everybody = {"key": 2, "type": 0, "ids": [*range(1, 65_536)]}
    fields = canadian_fields(PubRestrictions=[everybody] * 16)
    with pytest.raises(Unreadable, match="more vendors"):
        decoded(canadian_section(fields))
