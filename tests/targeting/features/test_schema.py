"""The layout of the dense vector, and that its document says the same."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.features.schema import (
    DIMENSION_OF_CODE,
    DIMENSIONS,
    INDEX_OF,
    PURCHASE_GROUPS,
    SCHEMA,
    SCHEMA_NAME,
    Dimension,
    dimension_of,
    outside_dimension,
    span,
)
from targeting.features.taxonomy import CATEGORIES, CODES, Tier, category_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "features.md"
ROW = re.compile(r"\| (\d+) \| `([^`]+)` \| ([^|]+) \| ([^|]+) \|")


def test_the_document_describes_exactly_the_schema() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    described = [Dimension(int(row[1]), row[2], row[3], row[4]) for row in ROW.finditer(text)]
    assert described == list(SCHEMA)
    assert f"# The dense feature vector: `{SCHEMA_NAME}`" in text
    assert f"{DIMENSIONS} little-endian IEEE 754 float32 ({4 * DIMENSIONS} bytes)" in text


def test_a_released_layout_never_changes_under_its_name() -> None:
    layout = repr([(dimension.index, dimension.name, dimension.unit) for dimension in SCHEMA])
    assert (SCHEMA_NAME, hashlib.sha256(layout.encode()).hexdigest()) == (
        "adtargeting.features.v1",
        "cd7793386e484f8cfaff63feaf01abb9011a1c4626a6dd53f0d791ba370466ef",
    )


def test_indices_count_up_and_names_are_unique() -> None:
    assert [dimension.index for dimension in SCHEMA] == list(range(DIMENSIONS))
    assert len(INDEX_OF) == DIMENSIONS
    assert all(re.fullmatch(r"[a-z]+(\.[a-z0-9_]+)+", name) for name in INDEX_OF)


@pytest.mark.parametrize(
    ("segment_id", "dimension"),
    [
        ("663", "interest.sports"),
        ("607", "interest.sports"),
        ("356", "interest.family_and_relationships"),
        ("529", "interest.news_and_politics"),
        ("805", "purchase.automotive"),
        ("864", "purchase.automotive"),
        ("1679", "purchase.software"),
        ("1585", "purchase.home"),
        ("47", "demographic.education_occupation"),
        ("197", "demographic.personal_finance"),
        ("3", "outside.bucket_11"),
        ("49", "outside.bucket_00"),
        ("206", "outside.bucket_06"),
        ("198", "outside.bucket_01"),
        ("acme:frequent-flyer", "outside.bucket_13"),
        ("0663", "outside.bucket_12"),
        ("", "outside.bucket_00"),
    ],
)
def test_a_segment_counts_in_one_dimension(segment_id: str, dimension: str) -> None:
    assert SCHEMA[dimension_of(segment_id)].name == dimension


@given(st.text(max_size=40))
def test_every_text_has_a_dimension_of_a_segment(segment_id: str) -> None:
    name = SCHEMA[dimension_of(segment_id)].name
    assert name.split(".")[0] in {"demographic", "interest", "purchase", "outside"}


def test_the_table_by_code_says_what_the_ids_say() -> None:
    assert len(DIMENSION_OF_CODE) == CODES
    assert [dimension_of(str(code)) for code in range(CODES)] == DIMENSION_OF_CODE.tolist()


def test_the_table_by_code_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        DIMENSION_OF_CODE[np.intp(1)] = 1


@pytest.mark.parametrize(("tier", "prefix"), [(Tier.INTEREST, "interest."), (Tier.PURCHASE_INTENT, "purchase.")])
def test_interests_and_purchases_have_no_bucket(tier: Tier, prefix: str) -> None:
    codes = [code for category in CATEGORIES if category.tier is tier for code in category.codes]
    block = span(prefix)
    assert {int(DIMENSION_OF_CODE[code]) for code in codes} == set(range(block.start, block.stop))


def test_no_segment_sets_a_declared_age_or_gender() -> None:
    bought = [code for code in range(CODES) if (found := category_of(code)) and found.name in {"Age Range", "Gender"}]
    assert len(bought) == 19
    assert all(DIMENSION_OF_CODE[code] == outside_dimension(str(code)) for code in bought)
    assert min(DIMENSION_OF_CODE) > INDEX_OF["occupation.known"]


def test_every_purchase_category_is_in_one_group() -> None:
    grouped = [name for names in PURCHASE_GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(category.name for category in CATEGORIES if category.tier is Tier.PURCHASE_INTENT)
