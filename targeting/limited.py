"""The features of limited mode: country, language, IP location.

The input holds no account, no device and no profile, so none of them can be used, logged or leaked here. This module
may not import ``profile`` or ``behavioural``, not even indirectly.
"""

from targeting.model import LimitedFeatures, LocaleInputs
from targeting.places.locale import EUROPE, best_language, parse_place


def limited_features(inputs: LocaleInputs) -> LimitedFeatures:
    """Choose country and language: what the person set, else what the request shows."""
    language = (
        (inputs.client_language and best_language(inputs.client_language, ""))
        or inputs.stored_language
        or best_language("", inputs.accept_language)
    )
    ip_country, ip_subdivision = inputs.ip_location
    return LimitedFeatures(
        country=residence(inputs),
        language=language,
        ip_country="" if ip_country == EUROPE else ip_country,
        ip_subdivision=ip_subdivision,
    )


def residence(inputs: LocaleInputs) -> str:
    """Return the country of residence: the person's setting, else the cookie's, else the IP address's."""
    place = (
        (inputs.client_country and parse_place(inputs.client_country))
        or inputs.stored_country
        or inputs.cookie_country
        or inputs.ip_location.country
    )
    return "" if place == EUROPE else place
