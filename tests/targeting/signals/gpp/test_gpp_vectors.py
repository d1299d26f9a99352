"""The vectors that were made with the IAB's official library: each decodes exactly, or is refused."""

from typing import Any

import pytest

from targeting.signals.gpp.decode import decode_gpp_string
from targeting.signals.gpp.layouts import LAYOUTS, OptionalSegment
from targeting.signals.gpp.read import GppReading, Withholds, read_gpp_string
from targeting.signals.unreadable import Unreadable
from tests.targeting.signals.gpp import gpp_reference
from tests.targeting.signals.gpp.gpp_vectors import GPP, MORE, SECTIONS, LibrarySection, section

KNOWN = {2, 5, 6, *range(7, 28)}
CUT = {"gpp-181"}
"""Its truth has lost the ends of its lists, which a decision looks at."""
VALID = [pytest.param(vector, id=vector["id"]) for vector in (*GPP["valid"], *MORE["valid"])]


@pytest.mark.parametrize("vector", VALID)
def test_a_valid_string_decodes_exactly(vector: dict[str, Any]) -> None:
    assert decode_gpp_string(vector["string"]) == vector["truth"]


def _outcome(text: str) -> str:
    try:
        decode_gpp_string(text)
    except Unreadable:
        return "error"
    return "ok"


@pytest.mark.parametrize("vector", GPP["malformed"], ids=lambda vector: f"{vector['id']} {vector['name']}")
def test_a_malformed_string_is_refused(vector: dict[str, Any]) -> None:
    assert _outcome(vector["string"]) == vector["expect"] or vector["alt_ok"]


@pytest.mark.parametrize("vector", VALID)
def test_a_reading_agrees_with_the_full_decoding(vector: dict[str, Any]) -> None:
    truth = vector["truth"]
    reading = read_gpp_string(vector["string"], truth["sectionIds"])
    raw = {decoded["id"]: decoded["raw"] for decoded in truth["sections"]}
    assert set(reading.unreadable) == set(truth["sectionIds"]) - KNOWN
    assert reading.tc_string == raw.get(2)
    assert reading.us_privacy == raw.get(6)
    for decoded in truth["sections"]:
        alone = read_gpp_string(vector["string"], [decoded["id"]])
        if decoded["id"] == 5:
            _check_canada(alone, decoded["fields"])
        elif decoded["id"] in KNOWN and decoded["id"] > 6 and vector["id"] not in CUT:
            version = decoded["fields"].get("Version")
            assert alone.withholds == gpp_reference.withheld(section(decoded["id"], version), decoded["fields"])


def _check_canada(reading: GppReading, fields: dict[str, Any]) -> None:
    consent = reading.canada
    assert consent is not None
    assert [consent.is_express(purpose) for purpose in range(1, 25)] == fields["PurposesExpressConsent"]
    assert [consent.has_feature(number) for number in range(1, 13)] == fields["SpecialFeatureExpressConsent"]


MUST_BE_REFUSED = [vector for vector in GPP["malformed"] if vector["expect"] == "error" and not vector["alt_ok"]]


@pytest.mark.parametrize("vector", MUST_BE_REFUSED, ids=lambda vector: f"{vector['id']} {vector['name']}")
def test_a_malformed_string_withholds_everything(vector: dict[str, Any]) -> None:
    reading = read_gpp_string(vector["string"], [*range(5, 28)])
    assert reading.withholds == Withholds.EVERYTHING
    assert reading.unreadable


def _layout(section: LibrarySection) -> list[tuple[str, int]]:
    return [(field.name, field.size) for field in section.core[1:]]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.label)
def test_a_layout_is_the_librarys(section: LibrarySection) -> None:
    layout = next(layout for layout in LAYOUTS[section.section_id] if layout.version in {None, section.version})
    fields = [(field.name, len(field.national_names) if field.listed else 0) for field in layout.fields]
    optional = layout.optional_segment
    assert fields == _layout(section)
    assert layout.name == section.name
    assert ("" if optional is OptionalSegment.NONE else optional.value) == section.extra


def test_every_section_of_us_law_is_known() -> None:
    assert sorted(LAYOUTS) == sorted({section.section_id for section in SECTIONS}) == list(range(7, 28))
