"""Limited mode: whose country and language it is, and where the address is."""

import pytest

from targeting.limited import limited_features
from targeting.model import LimitedFeatures, LocaleInputs
from targeting.places.geo import IpLocation

US = IpLocation("US", "US-OH")
EVERYTHING = LocaleInputs(
    client_country="gbr",
    client_language="EN_gb",
    accept_language="de, fr;q=0.5",
    cookie_country="KR",
    ip_location=US,
    stored_country="CA",
    stored_language="fr-CA",
)
COUNTRIES = {
    "the person's setting": (EVERYTHING, "GB"),
    "else the stored one": (EVERYTHING._replace(client_country=""), "CA"),
    "else the cookie's": (EVERYTHING._replace(client_country="", stored_country=""), "KR"),
    "else the address's": (EVERYTHING._replace(client_country="", stored_country="", cookie_country=""), "US"),
    "a setting that cannot be read is none": (EVERYTHING._replace(client_country="England"), "CA"),
}
LANGUAGES = {
    "the person's setting": (EVERYTHING, "en-GB"),
    "else the stored one": (EVERYTHING._replace(client_language=""), "fr-CA"),
    "else the browser's": (EVERYTHING._replace(client_language="", stored_language=""), "de"),
    "a setting that cannot be read is none": (EVERYTHING._replace(client_language="English!"), "fr-CA"),
    "no language": (LocaleInputs(), ""),
}


@pytest.mark.parametrize(("inputs", "country"), COUNTRIES.values(), ids=COUNTRIES)
def test_the_country_is(inputs: LocaleInputs, country: str) -> None:
    assert limited_features(inputs).country == country


@pytest.mark.parametrize(("inputs", "language"), LANGUAGES.values(), ids=LANGUAGES)
def test_the_language_is(inputs: LocaleInputs, language: str) -> None:
    assert limited_features(inputs).language == language


def test_the_place_of_the_address_is_told_beside_the_country() -> None:
    assert limited_features(EVERYTHING) == LimitedFeatures("GB", "en-GB", "US", "US-OH")


@pytest.mark.parametrize(
    ("inputs", "country", "ip_country"),
    [
        (LocaleInputs(ip_location=IpLocation("EU", "")), "", ""),
        (LocaleInputs(client_country="EU", ip_location=US), "", "US"),
        (LocaleInputs(cookie_country="EU", ip_location=US), "", "US"),
        (LocaleInputs(client_country="XX", cookie_country="KR", ip_location=US), "KR", "US"),
        (LocaleInputs(client_country="XX", ip_location=US), "US", "US"),
    ],
)
def test_europe_is_no_country_of_residence(inputs: LocaleInputs, country: str, ip_country: str) -> None:
    features = limited_features(inputs)
    assert (features.country, features.ip_country) == (country, ip_country)
