"""Large strings: the honest ones are read, wherever their parts lie; the others end early."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice, pairwise

import pytest

from targeting.signals.bits import MAX_LENGTH
from targeting.signals.gpp.decode import decode_gpp_string
from targeting.signals.tcf.decode import decode_tc_string, to_json
from targeting.signals.tcf.read import read_tc_string
from targeting.signals.unreadable import GivenUp, Unreadable
from tests.targeting.signals.gpp.gpp_encoder import gpp
from tests.targeting.signals.tcf import tcf_reference
from tests.targeting.signals.tcf.tcf_encoder import (
    BitField,
    Entry,
    Publisher,
    Ranges,
    Restriction,
    Section,
    Tc,
    Vendors,
    characters,
    number,
)

YES = Tc(purposes=frozenset({2}))
NEW = 17_800_000_000


def singles(count: int, step: int = 2) -> Ranges:
    return Ranges(tuple((1 + step * index, None) for index in range(count)), 65_535)


def ranges(count: int) -> Ranges:
    return Ranges(tuple((10 * index + 1, 10 * index + 4) for index in range(count)), 65_535)


def uneven_entries(count: int) -> tuple[Entry, ...]:
    """A single id and a range in turns."""
    return tuple((10 * index + 1, 10 * index + 4 if index % 2 else None) for index in range(count))


def uneven(count: int) -> Ranges:
    return Ranges(uneven_entries(count), 65_535)


def check(string: Tc) -> None:
    """A decision finds the vendors that were written and no others."""
    consent, members = read_tc_string(string.text()), string.consents.members()
    disclosed = set[int]().union(
        *(segment.section.members() for segment in string.others if isinstance(segment, Vendors))
    )
    for first, second in pairwise(islice(sorted(members), 0, None, len(members) // 50 + 1)):
        for vendor in (first - 1, first, first + 1, second):
            assert consent.has_basis(2, vendor) == (vendor in members and (vendor in disclosed or not disclosed))
            assert consent.discloses(vendor) == (vendor in disclosed)


@pytest.mark.parametrize(
    "section",
    [
        pytest.param(singles(4095), id="4095 single ids"),
        pytest.param(ranges(2000), id="2000 ranges"),
        pytest.param(Ranges(((7, None),) * 2000 + ((9, 20),) * 500, 20), id="2 long runs"),
        pytest.param(uneven(96), id="96 uneven entries"),
        pytest.param(BitField(frozenset(range(1, 65_536, 3)), 65_535), id="all vendors in a bit field"),
    ],
)
@pytest.mark.parametrize("place", ["consents", "disclosed"])
def test_large_sections_are_read(section: Section, place: str) -> None:
    if place == "consents":
        check(replace(YES, consents=section))
    else:
        everybody = BitField(frozenset(range(1, 9000)), 9000)
        check(replace(YES, last_updated=NEW, consents=everybody, others=(Vendors(section), Publisher())))


# The reader decodes 312 bits of a segment of more than 256 characters at first, and then what it needs: a field may
# lie across such a point, or just before or after it.
@pytest.mark.parametrize("width", [*range(50, 75), *range(1220, 1246), *range(1450, 1476), 60_000])
@pytest.mark.parametrize(
    "interests",
    [
        pytest.param(BitField(), id="no-vendor"),
        pytest.param(BitField(frozenset({1}), 40), id="a bit field"),
        pytest.param(BitField(frozenset({1}), 2000), id="a long bit field"),
        pytest.param(Ranges(((9, None), (20, 30)), 30), id="few entries"),
        pytest.param(singles(20), id="a run"),
        pytest.param(uneven(30), id="uneven entries"),
    ],
)
def test_a_section_may_lie_anywhere(width: int, interests: Section) -> None:
    string = replace(
        YES,
        interests_in=frozenset({7}),
        consents=BitField(frozenset({1, 3, width}), width),
        interests=interests,
        restrictions=(Restriction(2, 0, ((3, None),)),),
    )
    consent = read_tc_string(string.text())
    assert [consent.has_basis(2, vendor) for vendor in (1, 2, 3, width, width + 1)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    for missing in range(1, 8):
        with pytest.raises(Unreadable):
            read_tc_string(string.text()[:-missing])


@pytest.mark.parametrize("members", [80, 100])
def test_many_restrictions_are_read(members: int) -> None:
    string = replace(
        YES,
        consents=BitField(frozenset(range(1, 1600)), 1600),
        restrictions=tuple(Restriction(purpose, 0, uneven_entries(members)) for purpose in (7, 8, 2, 9, 10)),
    )
    consent, restricted = read_tc_string(string.text()), Ranges(uneven_entries(members)).members()
    for vendor in range(1, 1600, 3):
        assert consent.has_basis(2, vendor) == (vendor not in restricted)


GIVEN_UP = {
    "4095 ranges": replace(YES, consents=ranges(4095)),
    "97 uneven entries": replace(YES, consents=uneven(97)),
    "97 uneven disclosures": replace(YES, others=(Vendors(uneven(97)),)),
    "4098 restricted in uneven lists": replace(YES, restrictions=(Restriction(2, 0, uneven_entries(2049)),) * 2),
    "129 restrictions": replace(YES, restrictions=(Restriction(2, 0, ((1, None),)),) * 129),
}


@pytest.mark.fault(row=15)
@pytest.mark.parametrize("string", GIVEN_UP.values(), ids=GIVEN_UP)
def test_a_decision_gives_up_what_no_encoder_writes(string: Tc) -> None:
    with pytest.raises(Unreadable, match="given up"):
        read_tc_string(string.text())
    assert decode_tc_string(string.text()).core.vendor_list_version == string.vendor_list_version


AT_THE_LIMIT = {
    "4096 restricted in uneven lists": replace(YES, restrictions=(Restriction(7, 0, uneven_entries(2048)),) * 2),
    "128 restrictions": replace(YES, restrictions=(Restriction(7, 0, ((1, None),)),) * 128),
}


@pytest.mark.parametrize("string", AT_THE_LIMIT.values(), ids=AT_THE_LIMIT)
def test_a_decision_reads_up_to_its_limits(string: Tc) -> None:
    assert read_tc_string(string.text()).vendor_list_version == string.vendor_list_version


LIES = {
    "a count of 4095 at the end": Ranges((), 9, count=4095),
    "one entry more than there are": Ranges(((1, None), (3, 7)), 9, count=3),
    "a run more than there is": Ranges(tuple((index, None) for index in range(1, 30)), 30, count=40),
    "a range where a single id fits": Ranges(
        (*((index, None) for index in range(1, 30)), (65_535, None)), 30, count=31
    ),
}


@pytest.mark.fault(row=15)
@pytest.mark.parametrize("section", LIES.values(), ids=LIES)
def test_a_count_that_lies_is_unreadable(section: Ranges) -> None:
    for bits in (
        replace(YES, consents=section).core_bits()[: 213 + len(section.bits())],
        replace(YES, interests=section).core_bits()[: 230 + len(section.bits())],
        YES.core_bits() + "000000",
    ):
        other = "." + characters(Vendors(section).bits()) if bits.endswith("000000") else ""
        with pytest.raises(Unreadable):
            read_tc_string(characters(bits) + other)
        with pytest.raises(Unreadable):
            decode_tc_string(characters(bits) + other)


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param("", id="nothing"),
        pytest.param(number(2, 6), id="a purpose"),
        pytest.param(number(2, 6) + "00" + "0" * 5, id="half a count"),
        pytest.param(number(2, 6) + "00" + number(1, 12) + "1" * 6, id="half an entry"),
    ],
)
def test_restrictions_that_are_announced_and_missing_are_unreadable(tail: str) -> None:
    bits = YES.core_bits()[:-12] + number(1, 12) + tail
    text = characters(bits)
    with pytest.raises(Unreadable):
        read_tc_string(text)
    with pytest.raises(Unreadable):
        decode_tc_string(text)


@pytest.mark.fault(row=15)
def test_the_longest_string_is_read() -> None:
    text = replace(YES, consents=BitField(frozenset({5}), 5)).text()
    longest = text + "A" * (MAX_LENGTH - len(text))
    assert read_tc_string(longest).has_basis(2, 5) is True
    assert decode_tc_string(longest).core.vendor_consents == ((5, 5),)
    for reader in (read_tc_string, decode_tc_string):
        with pytest.raises(Unreadable, match="too long"):
            reader(longest + "A")


def test_a_short_string_may_name_more_vendors_than_can_be_listed() -> None:
    everybody: tuple[Entry, ...] = ((1, 65_535),)
    string = replace(YES, restrictions=tuple(Restriction(purpose, 0, everybody) for purpose in range(1, 17)))
    decoded = decode_tc_string(string.text())
    assert decoded.core.restrictions[0].vendors == ((1, 65_535),)
    with pytest.raises(Unreadable, match="given up"):
        to_json(decoded)


MOST, HALF = (Ranges(((1, 65_535),) * count, 65_535) for count in (16, 8))
TOO_MANY = {
    "consents": Tc(consents=MOST),
    "interests": Tc(interests=MOST),
    "disclosed": Tc(others=(Vendors(MOST),)),
    "allowed": Tc(others=(Vendors(MOST, kind=2),)),
    "restricted": Tc(restrictions=(Restriction(2, 0, MOST.entries),)),
    "consents and interests": Tc(consents=HALF, interests=HALF),
    "interests and disclosed": Tc(interests=HALF, others=(Vendors(HALF),)),
}


@pytest.mark.parametrize("string", TOO_MANY.values(), ids=TOO_MANY)
def test_no_list_of_a_string_in_gpp_is_expanded_without_bounds(string: Tc) -> None:
    with pytest.raises(GivenUp, match="more than 1000000 vendors"):
        decode_gpp_string(gpp({2: string.text()}))


def test_disclosed_vendors_are_remembered_and_forgotten() -> None:
    consents = BitField(frozenset(range(1, 300)), 300)
    for vendor in (*range(1, 300), *range(1, 300)):
        disclosed = Vendors(Ranges(((vendor, None),), vendor))
        consent = read_tc_string(replace(YES, last_updated=NEW, consents=consents, others=(disclosed,)).text())
        assert consent.has_basis(2, vendor) is True
        assert consent.has_basis(2, vendor + 1) is False


@pytest.mark.parametrize("count", range(14))
@pytest.mark.parametrize("build", [singles, ranges, uneven, lambda width: BitField(frozenset(), width)])
def test_a_segment_ends_with_its_last_bit(build: Callable[[int], Section], count: int) -> None:
    disclosed = characters(Vendors(build(count)).bits())
    text = f"{YES.text()}.{disclosed}"
    read_tc_string(text)
    decode_tc_string(text)
    for reader in (read_tc_string, decode_tc_string):
        with pytest.raises(Unreadable):
            reader(text[:-1])


def test_the_lists_of_all_segments_together_are_bounded() -> None:
    disclosed = Vendors(uneven(80))
    text = replace(YES, consents=uneven(80), interests=uneven(80), others=(disclosed,) * 4).text()
    assert read_tc_string(text).has_basis(2, 1) is True
    uneven_lists = replace(YES, consents=uneven(96), interests=uneven(96), others=(Vendors(uneven(96)),) * 4)
    six_long_lists = replace(YES, consents=singles(4000), interests=uneven(96), others=(Vendors(uneven(96)),) * 4)
    assert read_tc_string(uneven_lists.text()).has_basis(2, 1) is True
    with pytest.raises(GivenUp):
        read_tc_string(six_long_lists.text())
    assert decode_tc_string(text).core.vendor_list_version == YES.vendor_list_version
    for reader in (read_tc_string, decode_tc_string):
        with pytest.raises(Unreadable, match="too many segments"):
            reader(text + ".IAAA")


OTHERS = {
    "few": (),
    "many": tuple(Restriction(purpose, 0, uneven_entries(20)) for purpose in range(1, 17)),
    "vendor by vendor": tuple(Restriction(purpose, 0, singles(400).entries) for purpose in (1, 2, 3, 5)),
    "ranges": tuple(Restriction(purpose, 0, ranges(400).entries) for purpose in (1, 2, 3)),
}
"""Restrictions before the one under test: few are read one by one, many at once, lists of one width without a walk."""


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("count", range(5))
def test_restrictions_end_with_their_last_entry(others: tuple[Restriction, ...], count: int) -> None:
    long = 40 if count else 0
    for entries in (uneven_entries(count), ((1, 65_535),) * count, ((65_535, None),) * (count + long)):
        text = replace(YES, restrictions=(*others, Restriction(4, 0, entries))).text()
        truth = tcf_reference.read(text)
        for vendor in (1, 2, 755, 65_535):
            assert read_tc_string(text).has_basis(4, vendor) is tcf_reference.has_basis(truth, 4, vendor)
        for reader in (read_tc_string, decode_tc_string):
            with pytest.raises(Unreadable):
                reader(text[:-1])


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize(("purpose", "kind"), [(0, 0), (4, 3)])
def test_an_undefined_restriction_is_unreadable(others: tuple[Restriction, ...], purpose: int, kind: int) -> None:
    text = replace(YES, restrictions=(*others, Restriction(purpose, kind, uneven_entries(3)))).text()
    for reader in (read_tc_string, decode_tc_string):
        with pytest.raises(Unreadable, match="undefined"):
            reader(text)


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("entry", [(0, None), (7, 6), (0, 5)])
def test_a_restriction_of_no_vendor_is_unreadable(others: tuple[Restriction, ...], entry: Entry) -> None:
    string = replace(YES, restrictions=(*others, Restriction(7, 0, (*uneven_entries(9), entry))))
    for reader in (read_tc_string, decode_tc_string):
        with pytest.raises(Unreadable, match="impossible range"):
            reader(string.text())


@pytest.mark.parametrize("entries", [singles(478).entries, ranges(478).entries, uneven_entries(478)])
def test_thousands_of_restricted_vendors_are_read(entries: tuple[Entry, ...]) -> None:
    """A consent tool that restricts vendor by vendor: 7 restrictions of 478 entries, 3,346 in all."""
    restrictions = tuple(Restriction(purpose, 0, entries) for purpose in range(2, 9))
    text = replace(YES, consents=BitField(frozenset(range(1, 5000)), 5000), restrictions=restrictions).text()
    truth = tcf_reference.read(text)
    for vendor in (*range(1, 40), *range(450, 500), 4770, 4771, 4772, 4999):
        for purpose in (2, 8, 9):
            expected = tcf_reference.has_basis(truth, purpose, vendor)
            assert read_tc_string(text).has_basis(purpose, vendor) is expected
