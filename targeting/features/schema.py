"""The dense feature vector, dimension by dimension: schema ``adtargeting.features.v1``.

Invariant: a dimension never changes its index, unit or meaning under one schema name; ``docs/features.md``
says the same, line for line. ``targeting.features.encode`` computes the values; this module knows no person.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from targeting.features.iab_audience_taxonomy import DEMOGRAPHIC, INTEREST
from targeting.features.taxonomy import CATEGORIES, CATEGORY_OF_CODE, CODES, Category, Tier, segment_code
from targeting.places.continents import Continent

SCHEMA_NAME: Final = "adtargeting.features.v1"
OUTSIDE_BUCKETS: Final = 16


@dataclass(frozen=True, slots=True)
class Dimension:
    """One number of the vector. ``unit`` is its range where it has no unit."""

    index: int
    name: str
    unit: str
    meaning: str


_Column = tuple[str, str, str]

_FLAG: Final = "0 or 1"
_SHARE: Final = "0 to 1"
_COUNT: Final = "ln(1 + n)"

# Bracket n of the profile is the n-th name; 0, unknown, sets none of them.
AGE_BRACKETS: Final = ("13-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
GENDERS: Final = ("female", "male", "other")

# Declared age and gender have their own dimensions, which a segment from an outside source must not set.
_DEMOGRAPHIC_CATEGORIES: Final = tuple(name for name in DEMOGRAPHIC if name not in {"Age Range", "Gender"})

# Group of purchases → categories of the taxonomy. Each category is in one group.
PURCHASE_GROUPS: Final = {
    "software": ("Apps", "Software", "Web Services"),
    "entertainment": ("Arts and Entertainment", "Collectables and Antiques", "Hobbies and Interests"),
    "automotive": ("Automotive Ownership", "Automotive Products", "Automotive Services"),
    "fashion": ("Beauty Services", "Clothing and Accessories"),
    "business": (
        "Business and Industrial",
        "Legal Services",
        "Logistics and Delivery",
        "Office Equipment and Supplies",
    ),
    "electronics": ("Consumer Electronics",),
    "packaged_goods": ("Consumer Packaged Goods",),
    "education": ("Education and Careers",),
    "family": ("Family and Parenting", "Gifts and Holiday Items", "Life Events", "Pet Services"),
    "finance": ("Finance and Insurance",),
    "dining": ("Food and Beverage Services",),
    "home": ("Furniture", "Hardware Supplies", "Home and Garden Services", "Real Estate"),
    "health": ("Health and Medical Services", "Pharmaceuticals, Conditions, and Symptoms"),
    "non_profits": ("Non-Profits",),
    "sport": ("Recreation and Fitness Activities", "Sporting Goods"),
    "travel": ("Travel and Tourism",),
}


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _ids(ranges: str) -> str:
    return ", ".join(item.replace("-", " to ") for item in ranges.split())


def _declared() -> Iterator[_Column]:
    for bracket in AGE_BRACKETS:
        name = bracket.replace("-", "_").replace("+", "_plus")
        years = bracket.replace("-", " to ").replace("+", " or more")
        yield f"age.{name}", _FLAG, f"Declared age of {years} years"
    for gender in GENDERS:
        yield f"gender.{gender}", _FLAG, f"Declared gender: {gender}"
    yield "occupation.known", _FLAG, "An occupation is declared"


def _segments() -> Iterator[_Column]:
    for name in _DEMOGRAPHIC_CATEGORIES:
        text = f"Strongest demographic segment of “{name}” (IAB {_ids(DEMOGRAPHIC[name])})"
        yield f"demographic.{_slug(name)}", _SHARE, text
    for name, ranges in INTEREST.items():
        yield f"interest.{_slug(name)}", _SHARE, f"Strongest interest in “{name}” (IAB {_ids(ranges)})"
    for group, names in PURCHASE_GROUPS.items():
        subjects = ", ".join(f"“{name}”" for name in names)
        yield f"purchase.{group}", _SHARE, f"Strongest purchase intent in {subjects}"
    for bucket in range(OUTSIDE_BUCKETS):
        text = f"Strongest segment of no subject above, CRC-32 of the id modulo {OUTSIDE_BUCKETS} = {bucket}"
        yield f"outside.bucket_{bucket:02}", _SHARE, text


def _activity() -> Iterator[_Column]:
    yield "calls.destinations", _COUNT, "Countries called"
    yield "calls.top_share", _SHARE, "Share of the country called most"
    for continent in Continent:
        place = continent.name.replace("_", " ").title() if continent else "places on no continent"
        yield f"calls.share.{continent.name.lower()}", _SHARE, f"Share of calls to {place}"
    yield "exposure.count", _COUNT, "Ads shown, repeats included"
    yield "exposure.distinct_ads", _COUNT, "Different ads shown"
    yield "exposure.recency", _SHARE, "exp(-days since an ad was last shown); 0 if none was"
    yield "profile.recency", _SHARE, "exp(-days since the profile was last updated / 30)"


SCHEMA: Final = tuple(
    Dimension(index, *column) for index, column in enumerate((*_declared(), *_segments(), *_activity()))
)
DIMENSIONS: Final = len(SCHEMA)
INDEX_OF: Final = {dimension.name: dimension.index for dimension in SCHEMA}


def span(prefix: str) -> slice:
    """Return the slice of the dimensions whose names begin with ``prefix``, which are contiguous."""
    indices = [dimension.index for dimension in SCHEMA if dimension.name.startswith(prefix)]
    return slice(indices[0], indices[-1] + 1)


_OUTSIDE: Final = INDEX_OF["outside.bucket_00"]
_GROUP_OF: Final = {name: group for group, names in PURCHASE_GROUPS.items() for name in names}


def outside_dimension(segment_id: str) -> int:
    """Return the bucket of a segment outside the taxonomy, by a stable hash."""
    return _OUTSIDE + crc32(segment_id.encode()) % OUTSIDE_BUCKETS


def _category_dimension(category: Category) -> int | None:
    if category.tier is Tier.INTEREST:
        return INDEX_OF[f"interest.{_slug(category.name)}"]
    if category.tier is Tier.PURCHASE_INTENT:
        return INDEX_OF[f"purchase.{_GROUP_OF[category.name]}"]
    return INDEX_OF.get(f"demographic.{_slug(category.name)}")


def _dimension_of_code() -> NDArray[np.uint8]:
    of_category = (None, *map(_category_dimension, CATEGORIES))
    table = np.array(
        [of_category[CATEGORY_OF_CODE[code]] or outside_dimension(str(code)) for code in range(CODES)],
        np.uint8,
    )
    table.flags.writeable = False
    return table


# Code of the taxonomy → dimension. Codes without a category, and those of age and gender, go to a bucket.
DIMENSION_OF_CODE: Final = _dimension_of_code()


def dimension_of(segment_id: str) -> int:
    """Return the dimension that a segment's strength counts in; every text that UTF-8 can encode has one."""
    code = segment_code(segment_id)
    return outside_dimension(segment_id) if code is None else int(DIMENSION_OF_CODE[code])
