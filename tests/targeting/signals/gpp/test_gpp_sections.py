"""Which sections of a GPP string count: the named ones, else every one that may withhold something."""

import pytest

from targeting.signals.gpp.read import NONE_APPLIES, NOT_YET_KNOWN, WithholdingField, Withholds, read_gpp_string
from tests.targeting.signals.gpp.gpp_encoder import canadian_fields, canadian_section, us_string, us_text
from tests.targeting.signals.gpp.gpp_encoder import gpp as encode
from tests.targeting.signals.gpp.gpp_vectors import section
from tests.targeting.signals.gpp.test_gpp_rules import EVERYTHING, NOTHING, POSITION, PROFILE, SENSITIVE


def test_sections_add_up() -> None:
    position = us_text(section(8), {f"{SENSITIVE}[3]": 1})
    sale = us_text(section(9), {"SaleOptOut": 1})
    reading = read_gpp_string(encode({8: position, 9: sale}), [9, 8])
    assert reading.withholds == PROFILE | POSITION
    assert reading.withholding_fields == [
        WithholdingField(9, "SaleOptOut", 1, PROFILE),
        WithholdingField(8, f"{SENSITIVE}[8]", 1, POSITION),
    ]


@pytest.mark.parametrize(
    ("section_ids", "withholds", "unreadable"),
    [
        pytest.param([8], NOTHING, (), id="named"),
        pytest.param([9], PROFILE, (), id="another named"),
        pytest.param([], PROFILE, (), id="no ids"),
        pytest.param([NOT_YET_KNOWN], PROFILE, (), id="not yet known"),
        pytest.param([NOT_YET_KNOWN, 8], PROFILE, (), id="not yet known, but one is"),
        pytest.param([NOT_YET_KNOWN, NONE_APPLIES], PROFILE, (), id="not yet known, or none"),
        pytest.param([NONE_APPLIES], NOTHING, (), id="none applies"),
        pytest.param([NONE_APPLIES, 9], PROFILE, (), id="none applies, but one is named"),
        pytest.param([NOT_YET_KNOWN, 10], EVERYTHING, (10,), id="not yet known, and one is missing"),
    ],
)
def test_the_sections_that_are_named_count_else_all(
    section_ids: list[int], withholds: Withholds, unreadable: tuple[int, ...]
) -> None:
    text = encode({8: us_text(section(8), {}), 9: us_text(section(9), {"SaleOptOut": 1})})
    reading = read_gpp_string(text, section_ids)
    assert (reading.withholds, reading.unreadable) == (withholds, unreadable)


def test_the_canadian_section_withholds_where_none_is_named() -> None:
    text = encode({5: canadian_section(canadian_fields(PurposesExpressConsent=[False] * 24))})
    for section_ids in ([], [NOT_YET_KNOWN], [5]):
        assert read_gpp_string(text, section_ids).withholds & PROFILE
    assert read_gpp_string(text, [NONE_APPLIES]).withholds == NOTHING


@pytest.mark.parametrize("section_id", [1, 3, 4])
def test_a_section_of_no_regime_counts_only_if_it_is_named(section_id: int) -> None:
    text = encode({section_id: "BAAA", 8: us_text(section(8), {})})
    assert read_gpp_string(text, []).withholds == NOTHING
    assert read_gpp_string(text, [section_id]).unreadable == (section_id,)


def test_a_section_of_a_later_law_cannot_be_read_and_withholds() -> None:
    text = encode({8: us_text(section(8), {}), 28: "BAAA"})
    assert read_gpp_string(text, []).unreadable == (28,)
    assert read_gpp_string(text, [8]).withholds == NOTHING


def test_the_same_section_named_twice_counts_once() -> None:
    reading = read_gpp_string(us_string(section(9), {"SaleOptOut": 1}), [9, 9, 8, 8])
    assert reading.unreadable == (8,)
    assert len(reading.withholding_fields) == 1
