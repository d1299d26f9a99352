"""Round trips with an encoder of our own over all sections, and a fuzz against the slow reader and the plain rules."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from targeting.signals.gpp.decode import decode_gpp_string
from targeting.signals.gpp.read import read_gpp_string
from targeting.signals.unreadable import Unreadable
from tests.targeting.signals.gpp import gpp_reference, gpp_slow_reader
from tests.targeting.signals.gpp.gpp_encoder import ALPHABET, us_section, us_values
from tests.targeting.signals.gpp.gpp_encoder import gpp as encode
from tests.targeting.signals.gpp.gpp_vectors import GPP, SECTIONS, LibrarySection
from tests.targeting.signals.gpp.gpp_vectors import section as library_section

UNTIMED = settings(deadline=None, max_examples=60)


def _numbers(section: LibrarySection) -> list[str]:
    """The places of all two-bit numbers, as ``SaleOptOut`` or ``SensitiveDataProcessing[3]``."""
    places: list[str] = []
    for field in section.core[1:]:
        listed = [f"{field.name}[{index}]" for index in range(1, field.size + 1)]
        places += listed or [field.name]
    if section.extra == "SensitiveDataConsent":
        places += [f"SensitiveDataProcessing[{index}]" for index in range(1, 9)]
    return places


def section_values(section: LibrarySection) -> st.SearchStrategy[dict[str, Any]]:
    """Fields of a section: all at random, or a few changed in one that withholds nothing; with GPC or without."""
    places = _numbers(section)
    few = st.dictionaries(st.sampled_from(places), st.integers(0, 3), max_size=4)
    all_at_once = st.integers(0, 4 ** len(places) - 1).map(
        lambda value: {place: value >> 2 * index & 3 for index, place in enumerate(places)}
    )
    changes = st.one_of(few, all_at_once).map(lambda chosen: us_values(section, chosen))
    if section.extra != "Gpc":
        return changes
    gpc = st.sampled_from([{}, {"GpcSegmentType": 1, "Gpc": False}, {"GpcSegmentType": 1, "Gpc": True}])
    return st.tuples(changes, gpc).map(lambda both: {**both[0], **both[1]})


def with_flag(section: LibrarySection, values: dict[str, Any]) -> dict[str, Any]:
    """The fields as a decoder gives them: with the flag that the optional sub-section is there."""
    if not section.extra:
        return values
    name = "Gpc" if section.extra == "Gpc" else "SensitiveDataProcessing"
    return {**values, f"{section.extra}SegmentIncluded": name in values}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.label)
@given(data=st.data(), unit=st.sampled_from([6, 8, 24]))
@UNTIMED
def test_a_section_comes_back_and_is_judged_by_the_plain_rules(
    section: LibrarySection, data: st.DataObject, unit: int
) -> None:
    values = data.draw(section_values(section))
    text = encode({section.section_id: us_section(section, values, unit)})
    decoded = decode_gpp_string(text)["sections"][0]
    assert decoded["name"] == section.name
    if (section.label, unit) == ("usnat-v1", 24):
        return  # 60 bits filled up to 72 are read as the longer layout, which was written under version 1 too.
    assert decoded["fields"] == with_flag(section, values)
    reading = read_gpp_string(text, [section.section_id])
    assert reading.withholds == gpp_reference.withheld(section, values)
    found = 0
    for finding in reading.withholding_fields:
        found |= finding.withholds
    assert found == reading.withholds


NEWEST = {section.section_id: section for section in SECTIONS}


@given(st.data(), st.sets(st.sampled_from(sorted(NEWEST)), max_size=8))
@UNTIMED
def test_many_sections_come_back_in_order(data: st.DataObject, ids: set[int]) -> None:
    values = {section_id: data.draw(section_values(NEWEST[section_id])) for section_id in ids}
    decoded = decode_gpp_string(
        encode({section_id: us_section(NEWEST[section_id], values[section_id]) for section_id in ids})
    )
    assert decoded["sectionIds"] == sorted(ids)
    assert [section["fields"] for section in decoded["sections"]] == [
        with_flag(NEWEST[section_id], values[section_id]) for section_id in sorted(ids)
    ]


def _ours(text: str) -> dict[int, Any] | None:
    try:
        decoded = decode_gpp_string(text)
    except Unreadable:
        return None
    return {section["id"]: section.get("fields") for section in decoded["sections"]}


def _slow(text: str) -> dict[int, Any] | None:
    try:
        return dict(gpp_slow_reader.read(text))
    except gpp_slow_reader.Refused:
        return None


def compare(text: str) -> None:
    """Both readers refuse the string, or both read the same; and a decision agrees with them."""
    expected = _slow(text)
    if expected is not None and not expected.keys().isdisjoint({2, 5}):
        return
    assert _ours(text) == expected
    ids = [6, *range(7, 28)]
    reading = read_gpp_string(text, ids)
    if expected is None:
        return
    assert set(reading.unreadable) == set(ids) - set(expected)
    for section_id, fields in expected.items():
        if fields is not None and section_id > 6 and not _is_cut(section_id, fields, text):
            version = fields.get("Version") if section_id == 7 else None
            wanted = gpp_reference.withheld(library_section(section_id, version), fields)
            assert read_gpp_string(text, [section_id]).withholds == wanted


def _is_cut(section_id: int, fields: dict[str, Any], text: str) -> bool:
    """Whether a version 1 of the national section was read with the longer layout, and lost the ends of its lists."""
    position = decode_gpp_string(text)["sectionIds"].index(section_id)
    core = text.split("~")[position + 1].partition(".")[0]
    return section_id == 7 and fields["Version"] == 1 and len(core) * 6 >= 70


VALID = [
    vector["string"]
    for vector in GPP["valid"]
    if not {2, 5} & set(vector["truth"]["sectionIds"]) and len(vector["string"]) < 200
]
CHARACTERS = st.sampled_from(ALPHABET + ALPHABET + "~.+= \n\u00e9\ud800")


@pytest.mark.parametrize("text", VALID)
def test_the_slow_reader_agrees_on_the_vectors(text: str) -> None:
    compare(text)


@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.integers(0, 200), CHARACTERS, st.sampled_from("rid")), min_size=1, max_size=4),
)
@UNTIMED
@example("DBABLA~CpkBpmhmiYFo.YA", [(4, "B", "i")])
@example("DBABEYA~BVIQ", [(8, "Y", "i"), (9, "B", "i"), (10, "A", "i"), (11, "A", "i")])
def test_the_slow_reader_agrees_on_damaged_strings(text: str, edits: list[tuple[int, str, str]]) -> None:
    for place, character, edit in edits:
        at = place % (len(text) + 1)
        if edit == "i":
            text = text[:at] + character + text[at:]
        elif edit == "d":
            text = text[:at] + text[at + 1 :]
        else:
            text = text[:at] + character + text[at + 1 :]
    compare(text)


@given(
    st.lists(st.integers(6, 40), max_size=4, unique=True).map(sorted),
    st.lists(st.text(ALPHABET + ".", min_size=1, max_size=16), max_size=4),
)
@UNTIMED
def test_the_slow_reader_agrees_on_random_sections(ids: list[int], parts: list[str]) -> None:
    header = encode(dict.fromkeys(ids, "")).partition("~")[0]
    compare("~".join([header, *parts]))


@given(st.text(ALPHABET + "~.", max_size=40))
@UNTIMED
def test_the_slow_reader_agrees_on_random_text(text: str) -> None:
    compare(text)
    compare("DBAB" + text)
