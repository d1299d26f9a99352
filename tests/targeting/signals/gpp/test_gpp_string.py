"""The outer form: headers, sections that are named and missing, and strings made to hurt."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targeting.signals.bits import MAX_LENGTH
from targeting.signals.gpp.decode import decode_gpp_string
from targeting.signals.gpp.read import NONE_APPLIES, NOT_YET_KNOWN, GppReading, Withholds, read_gpp_string
from targeting.signals.unreadable import Unreadable
from tests.targeting.signals.gpp.gpp_encoder import (
    ALPHABET,
    characters,
    fibonacci,
    header,
    permissive,
    uint,
    us_core,
    us_section,
    us_text,
)
from tests.targeting.signals.gpp.gpp_encoder import gpp as encode
from tests.targeting.signals.gpp.gpp_vectors import section

UNTIMED = settings(deadline=None)

VIRGINIA = us_text(section(9), {})
CALIFORNIA = us_text(section(8), {})
TC_STRING = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
BOTH = encode({8: CALIFORNIA, 9: VIRGINIA})

HEADERS = {
    "DBABM": [2],
    "DBACNY": [2, 6],
    "DBABjw": [5, 6],
    "DBACNYA": [2, 6],
    "DBAA": [],
    "DBABLAAAAAAAAAAA": [7],
}


@pytest.mark.parametrize(("text", "ids"), HEADERS.items(), ids=HEADERS)
def test_the_headers_of_the_specification(text: str, ids: list[int]) -> None:
    sections = {2: TC_STRING, 5: "BPXuQIAPXuQIAAfKABENB-CgAAAAAAAAAAAAAAAA", 6: "1YNN", 7: "CQQQQABAAAABo"}
    assert decode_gpp_string("~".join([text, *(sections[section_id] for section_id in ids)]))["sectionIds"] == ids


@given(st.sets(st.integers(1, 127)) | st.sets(st.integers(1, 65_535), max_size=4))
@UNTIMED
def test_a_header_lists_any_ids(ids: set[int]) -> None:
    wanted = ids - {2, 5, 6, *range(7, 28)}
    decoded = decode_gpp_string(encode(dict.fromkeys(wanted, "x")))
    assert decoded["sectionIds"] == sorted(wanted)
    assert all(section["supported"] is False for section in decoded["sections"])


def announcing(count: int, *codes: str) -> str:
    return characters(uint(3, 6) + uint(1, 6) + uint(count, 12) + "".join(codes))


LYING = {
    "empty": "",
    "only a header, which lists a section": header([9]),
    "a section too few": f"{header([8, 9])}~{VIRGINIA}",
    "a section too many": f"{header([9])}~{VIRGINIA}~{VIRGINIA}",
    "an empty section": f"{header([8, 9])}~~{VIRGINIA}",
    "an empty section that is not named": f"{header([8, 9])}~{VIRGINIA}~",
    "no header": f"~{VIRGINIA}",
    "another type": f"{header([9], kind=4)}~{VIRGINIA}",
    "a TC string": TC_STRING,
    "another version": f"{header([9], version=2)}~{VIRGINIA}",
    "a character in the header": f"DBAB.g~{VIRGINIA}",
    "bits after the list": f"{characters(uint(3, 6) + uint(1, 6) + uint(0, 12) + '000001')}",
    "a count of 4095": f"{announcing(4095, '0', fibonacci(9))}~{VIRGINIA}",
    "ids up to 10^9": f"{announcing(1, '1', fibonacci(1), fibonacci(10**9))}~{VIRGINIA}",
    "ids up to 10^15": f"{announcing(1, '1', fibonacci(1), fibonacci(10**15))}~{VIRGINIA}",
    "128 ids": encode(dict.fromkeys(range(28, 156), "x")),
    "a code of zeros": f"{announcing(1, '0' * 700)}~{VIRGINIA}",
    "a long header": f"{header([9])}{'A' * 123}~{VIRGINIA}",
    "not ASCII": f"{header([9])}~{VIRGINIA}\u00e9",
    "not ASCII in a section that is not named": f"{header([9, 40])}~{VIRGINIA}~\u00e9",
    "a lone surrogate": f"{header([9, 40])}~{VIRGINIA}~\ud800",
    "white space": f" {header([9])}~{VIRGINIA}",
    "a line break at the end": f"{header([9])}~{VIRGINIA}\n",
    "100 kB": f"{header([9])}~{VIRGINIA}{'A' * 100_000}",
    "100 kB of tildes": "~" * 100_000,
}


@pytest.mark.fault(row=15)
@pytest.mark.parametrize("text", LYING.values(), ids=LYING)
def test_a_lying_string_withholds_everything(text: str) -> None:
    reading = read_gpp_string(text, [9])
    assert reading.withholds == Withholds.EVERYTHING
    assert reading.unreadable in {(3,), (9,)}
    with pytest.raises(Unreadable):
        decode_gpp_string(text)


@pytest.mark.parametrize(
    "text", [text for text in LYING.values() if text], ids=[name for name in LYING if name != "empty"]
)
def test_a_string_that_cannot_be_read_at_all_needs_no_section_to_be_named(text: str) -> None:
    expected = read_gpp_string(text, [9])
    if expected.unreadable == (3,):
        assert read_gpp_string(text, []) == expected == GppReading(Withholds.NOTHING, (3,), {})
        assert expected.withholds == Withholds.EVERYTHING


def test_no_string_and_no_section_say_nothing() -> None:
    for ids in ([], [NONE_APPLIES], (NONE_APPLIES, NONE_APPLIES), [NOT_YET_KNOWN]):
        assert read_gpp_string("", ids) == GppReading(Withholds.NOTHING, (), {})


@pytest.mark.parametrize("named", [7, 10, 28, 1, 3, -2, 10**9])
def test_a_section_that_is_named_and_missing_withholds_everything(named: int) -> None:
    reading = read_gpp_string(BOTH, [8, named])
    assert reading.withholds == Withholds.EVERYTHING
    assert reading.unreadable == (named,)
    assert set(reading.sections) == {8}


@pytest.mark.fault(row=15)
@pytest.mark.parametrize("unknown", [1, 3, 4, 28, 99])
def test_a_section_that_is_named_and_unknown_withholds_everything(unknown: int) -> None:
    text = encode({unknown: "BVVV", 9: VIRGINIA})
    assert read_gpp_string(text, [unknown, 9]).unreadable == (unknown,)
    assert read_gpp_string(text, [9]) == read_gpp_string(encode({9: VIRGINIA}), [9])


def test_no_section_applies_beside_one_that_does() -> None:
    assert read_gpp_string(BOTH, [NONE_APPLIES, 8]) == read_gpp_string(BOTH, [8])


def test_a_tc_string_is_handed_on_and_not_looked_at() -> None:
    text = encode({2: "anything", 9: VIRGINIA})
    reading = read_gpp_string(text, [2, 9])
    assert (reading.tc_string, reading.canada, reading.us_privacy) == ("anything", None, None)
    assert (reading.withholds, reading.unreadable) == (Withholds.NOTHING, ())
    assert read_gpp_string(text, [9]).tc_string is None


CORE = characters(us_core(section(8), permissive(section(8))))
UNREADABLE_SECTIONS = {
    "version 0": (8, "A" + CORE[1:]),
    "version 2": (8, "C" + CORE[1:]),
    "cut": (8, CORE[:-1]),
    "an empty sub-section": (8, f"{CORE}."),
    "an empty core": (8, ".YA"),
    "three sub-sections": (8, f"{CORE}.YA.YA"),
    "a sub-section of type 2": (8, f"{CORE}.gA"),
    "a sub-section of type 3": (8, f"{CORE}.wA"),
    "a character in the sub-section": (8, f"{CORE}.+"),
    "a sub-section that Virginia does not have": (9, f"{VIRGINIA}.YA"),
    "sensitive data that Virginia does not have": (9, f"{VIRGINIA}.{'V' * 40}"),
    "sensitive data cut": (25, f"{us_text(section(25), {})}.FB"),
    "national version 3": (7, "D" + us_text(section(7), {})[1:]),
    "national version 2 of the length of version 1": (7, "CVVVVVVVVVA"),
    "national version 1 cut": (7, us_text(section(7, 1), {})[:9]),
    "a character": (8, f"{CORE[:-1]}!"),
    "white space": (8, f"{CORE} "),
    "many dots": (8, CORE + "." * 1000),
}


@pytest.mark.parametrize(("section_id", "text"), UNREADABLE_SECTIONS.values(), ids=UNREADABLE_SECTIONS)
def test_a_section_that_cannot_be_read_withholds_everything(section_id: int, text: str) -> None:
    string = encode({section_id: text, 40: "x"})
    reading = read_gpp_string(string, [section_id])
    assert (reading.withholds, reading.unreadable) == (Withholds.EVERYTHING, (section_id,))
    assert read_gpp_string(string, []).unreadable == (section_id, 40)
    assert read_gpp_string(string, [NONE_APPLIES]).unreadable == ()
    with pytest.raises(Unreadable):
        decode_gpp_string(string)


MARYLAND = us_section(section(24), permissive(section(24)))
INDIANA = us_text(section(25), {"SensitiveDataProcessing[8]": 1})
HEADED = {
    "core only": (24, f"{header([], kind=24)}.{MARYLAND}", ["Header", "Core"], Withholds.NOTHING),
    "core and GPC": (24, f"{header([1], kind=24)}.{MARYLAND}.YA", ["Header", "Core", "Gpc"], Withholds.EVERYTHING),
    "GPC, the core listed": (
        24,
        f"{header([1, 2], kind=24)}.{MARYLAND}.QA",
        ["Header", "Core", "Gpc"],
        Withholds.NOTHING,
    ),
    "sensitive data": (
        25,
        f"{header([1], kind=25)}.{INDIANA}",
        ["Header", "Core", "SensitiveDataConsent"],
        Withholds.PRECISE_POSITION,
    ),
}


@pytest.mark.parametrize(("section_id", "text", "segments", "withholds"), HEADED.values(), ids=HEADED)
def test_sections_24_to_27_may_have_the_header_of_their_specification(
    section_id: int, text: str, segments: list[str], withholds: Withholds
) -> None:
    string = encode({section_id: text})
    assert read_gpp_string(string, [section_id]).withholds == withholds
    decoded = decode_gpp_string(string)["sections"][0]
    assert decoded["segments"] == segments
    assert (decoded["fields"]["SectionID"], decoded["fields"]["Version"]) == (section_id, 1)
    bare = decode_gpp_string(encode({section_id: text.partition(".")[2]}))["sections"][0]["fields"]
    assert {name: decoded["fields"][name] for name in bare} == bare


WRONGLY_HEADED = {
    "header only": (24, header([], kind=24)),
    "header and nothing": (24, f"{header([], kind=24)}."),
    "a sub-section cut off": (24, f"{header([1], kind=24)}.{MARYLAND}"),
    "fewer sub-sections than listed": (24, f"{header([1, 2], kind=24)}.{MARYLAND}"),
    "more sub-sections than listed": (24, f"{header([], kind=24)}.{MARYLAND}.YA"),
    "version 2": (24, f"{header([], kind=24, version=2)}.{MARYLAND}"),
    "another section's header": (24, f"{header([], kind=25)}.{MARYLAND}"),
    "two headers": (24, f"{header([1], kind=24)}.{header([], kind=24)}.{MARYLAND}"),
    "a header where none belongs": (8, f"{header([], kind=8)}.{CALIFORNIA}"),
}


@pytest.mark.parametrize(("section_id", "text"), WRONGLY_HEADED.values(), ids=WRONGLY_HEADED)
def test_a_wrong_header_of_a_section_is_unreadable(section_id: int, text: str) -> None:
    assert read_gpp_string(encode({section_id: text}), [section_id]).unreadable == (section_id,)


def filled(start: str, character: str = "A") -> str:
    return start.ljust(MAX_LENGTH, character)


LONG = {
    "one character": filled("", "_"),
    "tildes": filled("DBAA", "~"),
    "a long core": filled(f"{header([9])}~{VIRGINIA}"),
    "a long sub-section": filled(f"{header([8])}~{CALIFORNIA}.Y"),
    "dots": filled(f"{header([8])}~{CALIFORNIA}", "."),
    "a Canadian section": filled(f"{header([5])}~BPXuQIAPXuQIAAfKABENB-CgAAAAAAAAAA", "b"),
    "all sections": "~".join([header(range(2, 28)), *(["B" + "A" * 1200] * 26)]),
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_string_is_read_or_refused(text: str) -> None:
    reading = read_gpp_string(text, [*range(2, 28)])
    assert reading.withholds == Withholds.EVERYTHING
    with contextlib.suppress(Unreadable):
        decode_gpp_string(text)


@pytest.mark.parametrize("unknown", [28, 128, 4000, 65_535])
def test_sections_of_tomorrow_are_skipped(unknown: int) -> None:
    string = encode({9: us_text(section(9), {"SaleOptOut": 1}), unknown: "anything"})
    assert read_gpp_string(string, [9]).withholds == Withholds.PROFILE_AND_IDS
    assert read_gpp_string(string, [9, unknown]).unreadable == (unknown,)
    assert [section["name"] for section in decode_gpp_string(string)["sections"]] == ["usva", None]


def test_padding_is_no_reason_to_refuse() -> None:
    text = us_text(section(9), {"SaleOptOut": 1})
    assert read_gpp_string(encode({9: text.ljust(512, "A")}), [9]).withholds == Withholds.PROFILE_AND_IDS
    assert read_gpp_string(encode({9: text.ljust(513, "A")}), [9]).unreadable == (9,)


@given(st.text(max_size=60), st.lists(st.integers(-2, 40), max_size=4))
@UNTIMED
def test_no_text_raises_anything(text: str, ids: list[int]) -> None:
    for one in (text, "DBAB" + text, BOTH + text):
        read_gpp_string(one, ids)
        with contextlib.suppress(Unreadable):
            decode_gpp_string(one)


def test_the_alphabet_of_the_tests_is_that_of_rfc_4648() -> None:
    assert len(set(ALPHABET)) == 64
    assert characters("000000111111111110") == "A_-"
