"""The features of limited mode: country, language, IP location.

What comes in holds no account, no device and no profile, so nothing of them can be used, logged or leaked here.
This module may not import ``profile`` or ``behavioural``, not even indirectly.
"""

from targeting.model import LimitedFeatures, LocaleInputs
from targeting.places.locale import best_language, parse_country


def limited_features(seen: LocaleInputs) -> LimitedFeatures:
    """Choose country and language: what the person set, else what the request shows."""
    language = (
        (seen.client_language and best_language(seen.client_language, ""))
        or seen.stored_language
        or best_language("", seen.accept_language)
    )
    ip_country, ip_subdivision = seen.ip_location
    return LimitedFeatures(
        country=residence(seen), language=language, ip_country=ip_country, ip_subdivision=ip_subdivision
    )


def residence(seen: LocaleInputs) -> str:
    """Give the country of residence: the person's setting, else the cookie's, else the IP address's."""
    return (
        (seen.client_country and parse_country(seen.client_country))
        or seen.stored_country
        or seen.cookie_country
        or seen.ip_location.country
    )
