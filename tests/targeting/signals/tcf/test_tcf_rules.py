"""What a TC string lets a vendor do: the rules, one table each."""

from dataclasses import replace

import pytest

from targeting.signals.tcf.read import read_tc_string
from targeting.signals.tcf.vendor_list import VendorList, parse_vendor_list
from targeting.signals.unreadable import Unreadable
from tests.targeting.signals.tcf.tcf_encoder import (
    BitField,
    Entry,
    Publisher,
    Ranges,
    Restriction,
    Tc,
    Vendors,
    characters,
)

US, OTHER = 755, 12
ALL_PURPOSES = frozenset(range(1, 25))
FIRST_DECISECOND_OF_MARCH_2026 = 17_723_232_000

YES = Tc(
    purposes=ALL_PURPOSES,
    interests_in=ALL_PURPOSES,
    consents=Ranges(((US, None),), US),
    interests=Ranges(((US, None),), US),
)
CONSENT_ONLY = replace(YES, interests_in=frozenset(), interests=BitField())
INTEREST_ONLY = replace(YES, purposes=frozenset(), consents=BitField())


def declared(**purposes: list[int]) -> VendorList:
    """The vendor list of the strings' version, in which we declare these."""
    return parse_vendor_list(
        {
            "gvlSpecificationVersion": 3,
            "vendorListVersion": 126,
            "vendors": {str(US): {"id": US, **purposes}},
        }
    )


OPTED_IN = replace(YES, special_features=frozenset({1}))
ON_INTEREST = declared(legIntPurposes=list(range(1, 12)))


@pytest.mark.parametrize(
    ("string", "purpose", "vendor", "expected"),
    [
        pytest.param(YES, 4, US, True, id="purpose and vendor consented"),
        pytest.param(replace(YES, purposes=ALL_PURPOSES - {4}), 4, US, False, id="purpose not consented"),
        pytest.param(replace(YES, consents=BitField()), 4, US, False, id="vendor not consented"),
        pytest.param(YES, 4, OTHER, False, id="another vendor consented"),
        pytest.param(YES, 24, US, True, id="the last purpose there is a bit for"),
        pytest.param(YES, 0, US, False, id="purpose 0"),
        pytest.param(YES, -1, US, False, id="negative purpose"),
        pytest.param(YES, 25, US, False, id="purpose 25"),
        pytest.param(replace(YES, consents=BitField(frozenset({1}), 1)), 4, 0, False, id="vendor 0"),
        pytest.param(replace(YES, consents=Ranges(((0, 5),), 5)), 4, 0, False, id="vendor 0 in a range"),
        pytest.param(YES, 4, -US, False, id="negative vendor"),
        pytest.param(replace(YES, consents=Ranges(((1, 65_535),), 1)), 4, 65_536, False, id="vendor 65536"),
        pytest.param(replace(YES, consents=Ranges(((1, 65_535),), 1)), 4, 65_535, True, id="vendor 65535"),
        pytest.param(replace(YES, consents=Ranges(((9, 3),), 9)), 4, 5, False, id="range that ends too early"),
        pytest.param(replace(YES, service_specific=False), 4, US, False, id="global scope"),
        pytest.param(replace(YES, vendor_list_version=0), 4, US, False, id="vendor list version 0"),
        pytest.param(replace(YES, policy_version=0), 4, US, False, id="policy version 0"),
        pytest.param(replace(YES, vendor_list_version=1, policy_version=1), 4, US, True, id="lowest versions"),
        pytest.param(replace(YES, vendor_list_version=2048, policy_version=32), 4, US, True, id="one bit each"),
        pytest.param(replace(YES, policy_version=63), 4, US, True, id="newer policy"),
        pytest.param(replace(YES, purpose_one_treatment=True), 2, US, True, id="purpose 1 not disclosed: others"),
        pytest.param(replace(YES, purpose_one_treatment=True), 1, US, False, id="purpose 1 not disclosed"),
        pytest.param(YES, 1, US, True, id="purpose 1"),
    ],
)
def test_consent(string: Tc, purpose: int, vendor: int, *, expected: bool) -> None:
    assert read_tc_string(string.text()).has_basis(purpose, vendor) is expected


@pytest.mark.parametrize("purpose", range(1, 25))
def test_legitimate_interest_is_a_basis_for_purpose_2_and_from_7_on(purpose: int) -> None:
    vendors = declared(legIntPurposes=[purpose])
    assert read_tc_string(INTEREST_ONLY.text()).has_basis(purpose, US, vendors) is (purpose not in {1, 3, 4, 5, 6})


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        pytest.param(INTEREST_ONLY, True, id="purpose and vendor"),
        pytest.param(replace(INTEREST_ONLY, interests_in=ALL_PURPOSES - {7}), False, id="objected to the purpose"),
        pytest.param(replace(INTEREST_ONLY, interests=BitField()), False, id="objected to the vendor"),
        pytest.param(replace(INTEREST_ONLY, consents=YES.consents, interests=BitField()), False, id="a mixture"),
    ],
)
def test_legitimate_interest(string: Tc, *, expected: bool) -> None:
    assert read_tc_string(string.text()).has_basis(7, US, ON_INTEREST) is expected


PURPOSES = {
    "consent": declared(purposes=[2]),
    "interest": declared(legIntPurposes=[2]),
    "consent, flexible": declared(purposes=[2], flexiblePurposes=[2]),
    "interest, flexible": declared(legIntPurposes=[2], flexiblePurposes=[2]),
    "another purpose": declared(purposes=[3], legIntPurposes=[7]),
    "flexible but not declared": declared(flexiblePurposes=[2]),
    "nothing": declared(),
    "no such vendor": VendorList(126, {}),
    "the list of another version": VendorList(127, ON_INTEREST.vendors),
    "no list": None,
}


@pytest.mark.parametrize(
    ("list_says", "on_consent", "on_interest"),
    [
        ("consent", True, False),
        ("interest", False, True),
        ("consent, flexible", True, True),
        ("interest, flexible", True, True),
        ("another purpose", False, False),
        ("flexible but not declared", False, False),
        ("nothing", False, False),
        ("no such vendor", False, False),
        ("the list of another version", True, False),
        ("no list", True, False),
    ],
)
def test_the_vendor_must_have_declared_the_purpose(list_says: str, *, on_consent: bool, on_interest: bool) -> None:
    vendors = PURPOSES[list_says]
    assert read_tc_string(CONSENT_ONLY.text()).has_basis(2, US, vendors) is on_consent
    assert read_tc_string(INTEREST_ONLY.text()).has_basis(2, US, vendors) is on_interest
    assert read_tc_string(YES.text()).has_basis(2, US, vendors) is (on_consent or on_interest)


FORBIDDEN, CONSENT, INTEREST = 0, 1, 2


@pytest.mark.parametrize(
    ("restrictions", "on_consent", "on_interest"),
    [
        pytest.param([], True, True, id="none"),
        pytest.param([FORBIDDEN], False, False, id="forbidden"),
        pytest.param([CONSENT], True, False, id="consent required"),
        pytest.param([INTEREST], False, True, id="interest required"),
        pytest.param([CONSENT, CONSENT], True, False, id="the same twice"),
        pytest.param([CONSENT, INTEREST], False, False, id="both required: a contradiction"),
        pytest.param([CONSENT, FORBIDDEN], False, False, id="forbidden as well"),
    ],
)
def test_publisher_restrictions(restrictions: list[int], *, on_consent: bool, on_interest: bool) -> None:
    flexible = PURPOSES["interest, flexible"]
    written = tuple(Restriction(2, kind, ((1, 700), (US, None))) for kind in restrictions)
    for string, expected in ((CONSENT_ONLY, on_consent), (INTEREST_ONLY, on_interest)):
        consent = read_tc_string(replace(string, restrictions=written).text())
        assert consent.has_basis(2, US, flexible) is expected


@pytest.mark.parametrize(
    ("list_says", "kind", "on_consent", "on_interest"),
    [
        ("consent", CONSENT, True, False),
        ("consent", INTEREST, False, False),
        ("interest", CONSENT, False, False),
        ("interest", INTEREST, False, True),
        ("consent, flexible", INTEREST, False, True),
        ("interest, flexible", CONSENT, True, False),
        ("nothing", CONSENT, False, False),
        ("no list", CONSENT, True, False),
        ("no list", INTEREST, False, False),
    ],
)
def test_a_restriction_changes_the_basis_of_a_flexible_purpose_only(
    list_says: str, kind: int, *, on_consent: bool, on_interest: bool
) -> None:
    written = (Restriction(2, kind, ((US, None),)),)
    for string, expected in ((CONSENT_ONLY, on_consent), (INTEREST_ONLY, on_interest)):
        consent = read_tc_string(replace(string, restrictions=written).text())
        assert consent.has_basis(2, US, PURPOSES[list_says]) is expected


@pytest.mark.parametrize(
    ("purpose", "entries"),
    [
        pytest.param(3, ((US, None),), id="another purpose"),
        pytest.param(2, ((US + 1, None),), id="another vendor"),
        pytest.param(2, ((1, US - 1), (US + 1, 65_535)), id="all other vendors"),
        pytest.param(2, (), id="no-vendor"),
        pytest.param(63, ((US, None),), id="a purpose without a bit"),
    ],
)
def test_a_restriction_is_of_one_purpose_and_some_vendors(purpose: int, entries: tuple[Entry, ...]) -> None:
    string = replace(YES, restrictions=(Restriction(purpose, FORBIDDEN, entries),))
    assert read_tc_string(string.text()).has_basis(2, US) is True


@pytest.mark.parametrize(
    "restriction",
    [
        pytest.param(Restriction(0, 0, ((US, None),)), id="purpose 0"),
        pytest.param(Restriction(2, 3, ((US, None),)), id="type 3"),
        pytest.param(Restriction(2, 0, ((9, 8),)), id="ends before it starts"),
        pytest.param(Restriction(2, 0, ((0, None),)), id="vendor 0"),
        pytest.param(Restriction(2, 0, ((0, 5),)), id="from vendor 0 on"),
    ],
)
def test_a_restriction_that_means_nothing_spoils_the_string(restriction: Restriction) -> None:
    string = replace(YES, restrictions=(Restriction(2, 1, ((1, 2),)), restriction))
    with pytest.raises(Unreadable):
        read_tc_string(string.text())


SHOWN = Vendors(Ranges(((1, 800),), 800))
NOT_SHOWN = Vendors(Ranges(((1, 700),), 700))
ALLOWED = Vendors(Ranges(((1, 800),), 800), kind=2)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param((SHOWN,), True, id="disclosed"),
        pytest.param((NOT_SHOWN,), False, id="others disclosed"),
        pytest.param((), False, id="no such segment"),
        pytest.param((ALLOWED, Publisher()), False, id="other segments only"),
        pytest.param((Publisher(custom_purposes=63), ALLOWED, SHOWN), True, id="in any order"),
        pytest.param((SHOWN, NOT_SHOWN), False, id="twice: each must disclose"),
        pytest.param((NOT_SHOWN, SHOWN), False, id="twice: each must disclose, also the first"),
        pytest.param((SHOWN, SHOWN), True, id="twice: each discloses"),
        pytest.param((Vendors(BitField(frozenset({US}), 800)),), True, id="in a bit field"),
    ],
)
def test_from_march_2026_on_the_vendor_must_be_disclosed(
    others: tuple[Vendors | Publisher, ...], *, expected: bool
) -> None:
    new = replace(YES, last_updated=FIRST_DECISECOND_OF_MARCH_2026, others=others)
    old = replace(new, last_updated=FIRST_DECISECOND_OF_MARCH_2026 - 1)
    assert read_tc_string(new.text()).has_basis(4, US) is expected
    assert read_tc_string(old.text()).has_basis(4, US) is True
    assert read_tc_string(new.text()).discloses(US) is expected


def test_vendor_0_is_no_vendor_and_never_disclosed() -> None:
    everyone = Vendors(BitField(frozenset(range(1, 65_536)), 65_535))
    for string in (Tc(others=(everyone,)), Tc(others=(Vendors(Ranges(((0, 65_535),), 65_535)),)), Tc()):
        assert not read_tc_string(string.text()).discloses(0)


def test_created_does_not_matter() -> None:
    string = replace(YES, created=FIRST_DECISECOND_OF_MARCH_2026)
    assert read_tc_string(string.text()).has_basis(4, US) is True


@pytest.mark.parametrize(("version", "newer"), [(2, False), (5, False), (6, True), (63, True)])
def test_a_newer_policy_is_noticed(version: int, *, newer: bool) -> None:
    consent = read_tc_string(replace(YES, policy_version=version).text())
    assert (consent.policy_version, consent.policy_is_newer) == (version, newer)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(replace(YES, version=1).text(), id="version 1"),
        pytest.param(replace(YES, version=3).text(), id="version 3"),
        pytest.param(replace(YES, cmp_id=0).text(), id="consent manager 0"),
        pytest.param(replace(YES, cmp_id=1).text(), id="consent manager 1"),
        pytest.param(YES.text() + ".", id="empty segment"),
        pytest.param(YES.text() + ".." + characters(SHOWN.bits()), id="empty segment between"),
        pytest.param(YES.text() + "." + YES.text(), id="two cores"),
        pytest.param(YES.text() + ".gAAA", id="unknown segment"),
        pytest.param(YES.text() + ".IAA", id="disclosed vendors of 18 bits"),
        pytest.param(YES.text() + ".YAAA", id="publisher's of 24 bits"),
        pytest.param(YES.text() + ".IAAA" * 8, id="nine segments"),
        pytest.param(YES.text()[:-1], id="one character short"),
        pytest.param("C" * 43, id="shorter than any"),
    ],
)
def test_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        read_tc_string(text)


def test_five_segments_are_readable() -> None:
    assert read_tc_string(YES.text() + ".IAAA" * 4).has_basis(4, US) is True
