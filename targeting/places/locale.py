"""Countries and languages, as people, browsers and databases write them, in canonical form.

A malformed country or language is absent, never an error: it leaves a feature empty.

Invariant: a country is an alpha-2 code of ``iso3166.COUNTRIES``; a place is a country, ``EU`` or empty; a language is a
BCP 47 tag of at most language, script and region, in canonical case. Knows nothing of the source of a text.
"""

import re
from functools import lru_cache
from typing import Final

from targeting.places.iso3166 import COUNTRIES

MAX_HEADER_LENGTH: Final = 1024
"""Characters of ``Accept-Language`` that are read."""
MAX_LANGUAGES: Final = 32
"""Elements of ``Accept-Language`` that are read."""

# As the institutions of the European Union write them (Interinstitutional style guide, section 7.1.1).
_ALIASES: Final = {"UK": "GB", "EL": "GR"}
_ALPHA_3: Final = {long: code for code, long in COUNTRIES.items()}
_COUNTRY: Final = {code: code for code in COUNTRIES} | _ALPHA_3 | _ALIASES

EUROPE: Final = "EU"
"""Somewhere in Europe, as some networks and databases state it. It is no country, but laws of Europe may apply."""

# What proxies, content networks and databases write for an unknown country (XX, ZZ, T1 for Tor, A1 anonymous proxy,
# A2 satellite, O1 other) or a region of the registries (AP, Asia-Pacific).
_NO_COUNTRY: Final = frozenset({"XX", "ZZ", "T1", "A1", "A2", "O1", "AP"})

_MAX_TAG_LENGTH: Final = 64
# RFC 5646 section 2.1: language, extended languages, script, region; then variants, extensions, private use.
_TAG: Final = re.compile(
    r"([a-z]{2,3})(?:-[a-z]{3}){0,3}(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?(?:-[a-z0-9]{1,8})*",
    re.ASCII | re.IGNORECASE,
)
# Deprecated codes and their preferred values (IANA Language Subtag Registry).
_PREFERRED: Final = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "mo": "ro"}
_NO_LANGUAGE: Final = frozenset({"mis", "mul", "und", "zxx"})
# RFC 9110 section 12.4.2: at most three decimals, at most 1.
_WEIGHT: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII | re.IGNORECASE)


def parse_country(text: str) -> str | None:
    """Return the alpha-2 code for an ISO 3166-1 code, alpha-2 or alpha-3, in any case; None if it is not assigned.

    ``UK`` and ``EL`` are read as ``GB`` and ``GR``.
    """
    country = _COUNTRY.get(text)
    if country is not None or len(text) > 3 or not text.isascii():
        return country
    return _COUNTRY.get(text.upper())


def parse_place(text: str) -> str | None:
    """Return the alpha-2 code of a country, or ``EUROPE``; empty for a code of no country, None if it is unreadable."""
    country = parse_country(text)
    if country is not None or len(text) > 2:
        return country
    code = text.upper()
    if code == EUROPE:
        return EUROPE
    return "" if not code or code in _NO_COUNTRY else None


def best_language(client_language: str, accept_language: str) -> str:
    """Return the person's setting, else the best of ``Accept-Language``, else the empty string.

    The highest weight wins, and the first among equals; a weight of 0 and ``*`` are skipped (RFC 9110
    section 12.5.4). The result is language, script and region (RFC 5646): ``en``, ``pt-BR``, ``zh-Hant-TW``.
    Extended languages, variants, extensions and private use are dropped: no ad needs them, and a rare one
    could single out a person.
    """
    if len(accept_language) > MAX_HEADER_LENGTH:
        # Up to the last whole element: half a tag may be another tag.
        accept_language = accept_language[:MAX_HEADER_LENGTH].rpartition(",")[0]
    return _choose(client_language[: _MAX_TAG_LENGTH + 1], accept_language)


@lru_cache(maxsize=2048)
def _choose(client_language: str, accept_language: str) -> str:
    return _canonical(client_language) or _best_of(accept_language)


def _best_of(accept_language: str) -> str:
    best, best_weight = "", 0.0
    for element in accept_language.split(",", MAX_LANGUAGES)[:MAX_LANGUAGES]:
        tag, _, weight_text = element.partition(";")
        weight = _weight(weight_text)
        if weight > best_weight:
            language = _canonical(tag.strip(" \t"))
            if language:
                best, best_weight = language, weight
        if best_weight == 1:
            break
    return best


def _weight(text: str) -> float:
    """Return the weight of an element: 1 when absent, 0 when unreadable."""
    text = text.strip(" \t")
    if not text:
        return 1.0
    match = _WEIGHT.fullmatch(text)
    return float(match[1]) if match else 0.0


def _canonical(tag: str) -> str:
    """Return a tag's language, script and region in the case of RFC 5646 section 2.1.1; empty for no tag.

    A deprecated language becomes its preferred value: ``iw-IL`` is ``he-IL``. ``_`` counts as ``-``, as in the locale
    names of many systems (UTS #35 section 3.2). A region that is neither a country nor a UN M.49 number is dropped.
    """
    match = _TAG.fullmatch(tag.replace("_", "-")) if len(tag) <= _MAX_TAG_LENGTH else None
    if match is None:
        return ""
    language, script, region = match[1].lower(), match[2], match[3]
    if language in _NO_LANGUAGE:
        return ""
    language = _PREFERRED.get(language, language)
    if script:
        language += "-" + script.title()
    if region:
        region = region if region.isdigit() else parse_country(region)
    return f"{language}-{region}" if region else language
