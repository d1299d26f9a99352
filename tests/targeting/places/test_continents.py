"""The continent of a call destination."""

from collections import Counter

import pytest

from targeting.places.continents import _COUNTRIES, Continent, continent_of


@pytest.mark.parametrize(
    ("country", "continent"),
    [
        ("NG", Continent.AFRICA),
        ("EG", Continent.AFRICA),
        ("IN", Continent.ASIA),
        ("TR", Continent.ASIA),
        ("TW", Continent.ASIA),
        ("GB", Continent.EUROPE),
        ("RU", Continent.EUROPE),
        ("XK", Continent.EUROPE),
        ("US", Continent.NORTH_AMERICA),
        ("MX", Continent.NORTH_AMERICA),
        ("JM", Continent.NORTH_AMERICA),
        ("NZ", Continent.OCEANIA),
        ("BR", Continent.SOUTH_AMERICA),
    ],
)
def test_a_country_is_on_its_continent(country: str, continent: Continent) -> None:
    assert continent_of(country) is continent


@pytest.mark.parametrize("country", ["", "AQ", "ZZ", "us", "USA"])
def test_anything_else_is_elsewhere(country: str) -> None:
    assert continent_of(country) is Continent.ELSEWHERE


def test_every_country_of_iso_3166_but_antarctica_is_on_exactly_one_continent() -> None:
    countries = Counter(" ".join(_COUNTRIES.values()).split())
    assert set(countries.values()) == {1}
    assert len(countries) == 249  # ISO 3166-1 has 249 codes; without AQ, with XK
