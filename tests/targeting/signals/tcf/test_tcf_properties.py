"""Any string, well or badly formed: three readers agree, and nothing is granted that is not in it."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targeting.signals.tcf.decode import decode_tc_string, to_json
from targeting.signals.tcf.read import read_tc_string
from targeting.signals.tcf.vendor_list import parse_vendor_list
from targeting.signals.unreadable import Unreadable
from tests.targeting.signals.tcf import tcf_reference
from tests.targeting.signals.tcf.tcf_encoder import (
    ALPHABET,
    BitField,
    Entry,
    Publisher,
    Ranges,
    Restriction,
    Section,
    Tc,
    Vendors,
    members,
)

SLOWLY = settings(deadline=None, max_examples=150)

LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)
VENDOR_IDS = st.one_of(st.integers(1, 40), st.integers(1, 1500), st.integers(1, 65_535))
TIMES = st.one_of(st.integers(0, 2**36 - 1), st.integers(17_723_231_998, 17_723_232_002))


def subsets(highest: int) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.integers(1, highest))


@st.composite
def entries(draw: st.DrawFn, max_size: int = 60) -> tuple[Entry, ...]:
    """Entries in any order, overlapping or not; often of one width for a while."""
    found: list[Entry] = []
    for as_range, length in draw(st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=max_size // 8)):
        for _ in range(length):
            first = draw(VENDOR_IDS)
            last = min(first + draw(st.integers(0, 60)), 65_535) if as_range else None
            found.append((first, last))
    return tuple(found)


@st.composite
def bit_fields(draw: st.DrawFn) -> BitField:
    highest = draw(st.one_of(st.integers(0, 70), st.integers(0, 1500)))
    bits = draw(st.integers(0, 2**highest - 1))
    return BitField(frozenset(index for index in range(1, highest + 1) if bits >> index - 1 & 1), highest)


RANGES = st.builds(Ranges, entries(), st.integers(0, 65_535))
SECTIONS: st.SearchStrategy[Section] = st.one_of(bit_fields(), RANGES)
RESTRICTIONS = st.builds(Restriction, st.integers(1, 63), st.integers(0, 2), entries(max_size=24))


@st.composite
def publishers(draw: st.DrawFn) -> Publisher:
    custom = draw(st.integers(0, 63))
    flags = subsets(24)
    if custom == 0:
        return Publisher(draw(flags), draw(flags))
    return Publisher(draw(flags), draw(flags), custom, draw(subsets(custom)), draw(subsets(custom)))


OTHERS = st.one_of(publishers(), st.builds(Vendors, SECTIONS, st.sampled_from([1, 1, 2])))
STRINGS = st.builds(
    Tc,
    created=TIMES,
    last_updated=TIMES,
    cmp_id=st.integers(2, 4095),
    cmp_version=st.integers(0, 4095),
    consent_screen=st.integers(0, 63),
    language=LETTERS,
    vendor_list_version=st.integers(1, 4095) | st.integers(0, 4095),
    policy_version=st.integers(1, 63) | st.integers(0, 63),
    service_specific=st.sampled_from([True, True, True, False]),
    non_standard_texts=st.booleans(),
    special_features=subsets(12),
    purposes=subsets(24),
    interests_in=subsets(24),
    purpose_one_treatment=st.booleans(),
    publisher_country=LETTERS,
    consents=SECTIONS,
    interests=SECTIONS,
    restrictions=st.lists(RESTRICTIONS, max_size=4).map(tuple),
    others=st.lists(OTHERS, max_size=4).map(tuple),
)


def meaning(string: Tc) -> dict[str, Any]:
    """The parts of a written string that say something of vendors and purposes."""
    restricted: dict[tuple[int, int], set[int]] = {}
    for restriction in string.restrictions:
        if restriction.entries:
            key = restriction.purpose, restriction.kind
            restricted.setdefault(key, set()).update(members(restriction.entries))
    said: dict[str, Any] = {
        "created_ds": string.created,
        "lastUpdated_ds": string.last_updated,
        "cmpId": string.cmp_id,
        "consentLanguage": string.language,
        "vendorListVersion": string.vendor_list_version,
        "policyVersion": string.policy_version,
        "specialFeatureOptins": sorted(string.special_features),
        "purposeConsents": sorted(string.purposes),
        "purposeLegitimateInterests": sorted(string.interests_in),
        "publisherCountryCode": string.publisher_country,
        "vendorConsents": sorted(string.consents.members()),
        "vendorLegitimateInterests": sorted(string.interests.members()),
        "publisherRestrictions": [
            {"purposeId": purpose, "restrictionType": kind, "vendorIds": sorted(vendors)}
            for (purpose, kind), vendors in sorted(restricted.items())
        ],
    }
    for other in string.others:
        if isinstance(other, Vendors):
            name = "disclosedVendors" if other.kind == 1 else "allowedVendors"
            said[name] = sorted(other.section.members())
    return said


@SLOWLY
@given(STRINGS, st.sampled_from([6, 24]))
def test_what_is_written_is_what_is_read(string: Tc, padding: int) -> None:
    text = string.text(padding)
    decoded = to_json(decode_tc_string(text))
    said = meaning(string)
    assert {name: decoded[name] for name in said} == said
    assert tcf_reference.read(text) == decoded
    assert json.loads(json.dumps(decoded)) == decoded


DECLARATIONS: st.SearchStrategy[tcf_reference.Declarations] = st.dictionaries(
    VENDOR_IDS,
    st.fixed_dictionaries(
        {name: st.lists(st.integers(1, 24), max_size=6) for name in ("purposes", "legIntPurposes", "flexiblePurposes")}
    ),
    max_size=4,
)


def with_declared_flexibility(declarations: tcf_reference.Declarations) -> tcf_reference.Declarations:
    """A purpose counts as flexible only where it has been declared."""
    for declared in declarations.values():
        known = declared["purposes"] + declared["legIntPurposes"]
        declared["flexiblePurposes"] = [purpose for purpose in declared["flexiblePurposes"] if purpose in known]
    return declarations


@SLOWLY
@given(STRINGS, DECLARATIONS.map(with_declared_flexibility), st.data())
def test_a_decision_agrees_with_the_rules_read_plainly(
    string: Tc, declarations: tcf_reference.Declarations, data: st.DataObject
) -> None:
    text = string.text()
    truth, consent = tcf_reference.read_for_decisions(text), read_tc_string(text)
    gvl = {
        "gvlSpecificationVersion": 3,
        "vendorListVersion": string.vendor_list_version or 1,
        "vendors": {str(vendor): {"id": vendor, **declared} for vendor, declared in declarations.items()},
    }
    vendors = parse_vendor_list(gvl)
    usable = declarations if string.vendor_list_version else None
    mentioned = sorted({*truth["vendorConsents"], *truth["vendorLegitimateInterests"], *declarations, 1})
    for vendor in data.draw(st.lists(st.sampled_from(mentioned), max_size=8)):
        assert consent.discloses(vendor) == (vendor in truth.get("disclosedVendors", []))
        for purpose in range(1, 25):
            assert consent.has_basis(purpose, vendor) == tcf_reference.has_basis(truth, purpose, vendor)
            expected = tcf_reference.has_basis(truth, purpose, vendor, usable)
            assert consent.has_basis(purpose, vendor, vendors) == expected


def check_that_readers_agree(text: str) -> bool:
    """The text means the same to every reader, or nothing. Tells whether a decision read it."""
    try:
        truth = tcf_reference.read(text)
    except tcf_reference.Refused:
        with pytest.raises(Unreadable):
            decode_tc_string(text)
        with pytest.raises(Unreadable):
            read_tc_string(text)
        return False
    assert to_json(decode_tc_string(text)) == truth
    try:
        consent = read_tc_string(text)
    except Unreadable as error:
        assert "given up" in str(error)  # noqa: PT017 - the exception is optional here
        return False
    vendors = {*truth["vendorConsents"][:3], *truth["vendorLegitimateInterests"][-3:], 1, 2, 755}
    for vendor in vendors:
        for purpose in range(1, 13):
            assert consent.has_basis(purpose, vendor) == tcf_reference.has_basis(truth, purpose, vendor)
    return True


ODD = "+/=.~, \n\0\té\ud800\uff21\u0663\U0001f600%"


def damage(text: str, chance: random.Random) -> str:
    """Flip a bit, or take away, add, repeat or replace a piece."""
    at = chance.randrange(len(text) + 1)
    to = min(at + chance.randrange(1, 9), len(text))
    if at < len(text) and text[at] in ALPHABET and chance.random() < 0.6:
        flipped = ALPHABET.index(text[at]) ^ 1 << chance.randrange(6)
        return text[:at] + ALPHABET[flipped] + text[at + 1 :]
    pieces = ("", chance.choice(ODD), chance.choice(ALPHABET) * 5, text[at:to] * 2, "." + text[:to], ".IAAA")
    return text[:at] + chance.choice(pieces) + chance.choice((text[to:], text[at:], ""))


VECTORS = json.loads((Path(__file__).parents[3] / "data/vectors/tcf.json").read_text())["valid"]
SHORT = [vector["string"] for vector in VECTORS if len(vector["string"]) < 350]


@pytest.mark.parametrize("seed", range(8))
def test_damaged_strings(seed: int) -> None:
    chance = random.Random(seed)
    read = 0
    for text in SHORT:
        for _ in range(3):
            damaged = text
            for _ in range(chance.choice((1, 1, 1, 2, 5))):
                damaged = damage(damaged, chance)
            read += check_that_readers_agree(damaged)
    assert read > len(SHORT) / 4, "the damage is too great to test anything"


@pytest.mark.parametrize("text", SHORT[::9], ids=range(len(SHORT[::9])))
def test_strings_cut_short(text: str) -> None:
    for length in range(len(text)):
        check_that_readers_agree(text[:length])


@SLOWLY
@given(st.text(ALPHABET + ".", max_size=120), st.text(max_size=20))
def test_noise(bits: str, anything: str) -> None:
    for text in (bits, "C" + bits, anything, SHORT[0] + anything, anything + SHORT[0]):
        check_that_readers_agree(text)


@SLOWLY
@given(RANGES, st.integers(0, 5))
def test_a_list_is_found_wherever_it_begins(section: Ranges, shift: int) -> None:
    string = Tc(purposes=frozenset({2}), consents=section, interests=BitField(frozenset({1}), shift))
    consent, listed = read_tc_string(string.text()), section.members()
    for vendor in {1, 65_535, *(vendor for first, _ in section.entries for vendor in (first - 1, first, first + 61))}:
        assert consent.has_basis(2, vendor) == (vendor in listed)
