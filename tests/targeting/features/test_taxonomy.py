"""Segment ids of the IAB Audience Taxonomy 1.1: which are its own, and what they are about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.features.taxonomy import (
    CATEGORIES,
    CATEGORY_OF_CODE,
    CODES,
    Tier,
    category_of,
    named_interests,
    segment_code,
    segment_name,
)


@pytest.mark.parametrize(
    ("segment_id", "tier", "category", "name"),
    [
        ("2", Tier.DEMOGRAPHIC, "Age Range", "Age Range"),
        ("48", Tier.DEMOGRAPHIC, "Gender", "Gender"),
        ("197", Tier.DEMOGRAPHIC, "Personal Finance", "Personal Finance"),
        ("207", Tier.INTEREST, "Academic Interests", "Academic Interests"),
        ("356", Tier.INTEREST, "Family and Relationships", "Family and Relationships"),
        ("663", Tier.INTEREST, "Sports", "Soccer"),
        ("493", Tier.INTEREST, "Music and Audio", "Contemporary Hits/Pop/Top 40"),
        ("751", Tier.INTEREST, "Video Gaming", "Video Gaming"),
        ("753", Tier.PURCHASE_INTENT, "Apps", "Apps"),
        ("960", Tier.PURCHASE_INTENT, "Consumer Electronics", "Consumer Electronics"),
        ("1679", Tier.PURCHASE_INTENT, "Web Services", "Web Services"),
    ],
)
def test_an_id_of_the_taxonomy_has_a_category_and_a_name(segment_id: str, tier: Tier, category: str, name: str) -> None:
    code = segment_code(segment_id)
    assert code == int(segment_id)
    found = category_of(code)
    assert found is not None
    assert (found.tier, found.name, segment_name(code)) == (tier, category, name)


@pytest.mark.parametrize(
    ("segment_id", "name"), [("1", "Demographic"), ("206", "Interest"), ("752", "Purchase Intent")]
)
def test_the_id_of_a_tier_has_a_name_and_no_category(segment_id: str, name: str) -> None:
    code = segment_code(segment_id)
    assert code is not None
    assert (segment_name(code), category_of(code)) == (name, None)


@pytest.mark.parametrize(
    "segment_id",
    [
        "",
        "0",
        "198",
        "349",
        "1545",
        "1680",
        "99999999999999999999",
        "-2",
        "+2",
        "02",
        "2.0",
        " 2",
        "2\n",
        "٢",
        "iab:2",
        "soccer",
    ],
)
def test_any_other_text_is_not_an_id_of_the_taxonomy(segment_id: str) -> None:
    assert segment_code(segment_id) is None


@given(st.text(max_size=8) | st.integers(-2, CODES + 2).map(str))
def test_a_code_gives_its_id_back(segment_id: str) -> None:
    code = segment_code(segment_id)
    assert code is None or str(code) == segment_id


def test_the_categories_share_no_id_and_cover_what_is_assigned() -> None:
    codes = [code for category in CATEGORIES for code in category.codes]
    assert len(codes) == len(set(codes)) == 1555
    assert sorted(codes) == [code for code in range(CODES) if CATEGORY_OF_CODE[code]]
    assert all(list(category.codes) == sorted(category.codes) for category in CATEGORIES)


@pytest.mark.parametrize(("tier", "categories", "ids"), [(1, 7, 196), (206, 29, 496), (752, 34, 863)])
def test_each_tier_has_the_size_that_the_taxonomy_gives_it(tier: int, categories: int, ids: int) -> None:
    of_tier = [category for category in CATEGORIES if category.tier == tier]
    assert (len(of_tier), sum(len(category.codes) for category in of_tier)) == (categories, ids)


@pytest.mark.parametrize("code", [-1, 0, 198, 1680])
def test_a_number_without_a_segment_has_no_name(code: int) -> None:
    with pytest.raises(ValueError, match="not a code of the taxonomy"):
        segment_name(code)


def test_the_named_interests_are_interests_below_category_level() -> None:
    named = named_interests()
    assert len(named) == len({segment.code for segment in named}) == 216
    for segment in named:
        category = category_of(segment.code)
        assert category is not None
        assert category.tier is Tier.INTEREST
        assert category.name == segment.category
        assert segment.code != category.codes[0]
        assert segment_name(segment.code) == segment.name


def test_no_named_interest_is_sensitive() -> None:
    sensitive = {"Medical Health", "Health and Medical Services", "Pharmaceuticals, Conditions, and Symptoms"}
    named = named_interests()
    assert not sensitive & {segment.category for segment in named}
    words = ("Health &", "Politic", "Religio", "Gospel", "Debt", "Gambling", "Child")
    assert not [segment.name for segment in named if any(word in segment.name for word in words)]
