"""The languages of the pages: sentences from gettext catalogues; plurals, dates, numbers and names from CLDR (Babel).

English is the language of the sources and has no catalogue. Invariant: an unknown language is English. Knows
nothing of people and requests.
"""

import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations

from targeting.places.iso3166 import COUNTRIES

LANGUAGES: Final = ("en", "es", "fr", "de")
CATALOGUES: Final = Path(__file__).parent / "catalogues"
_MOST_RANGES = 32


def mark(message: str) -> str:
    """Mark a sentence for the catalogues where it is kept, and said elsewhere."""
    return message


@dataclass(frozen=True)
class Texts:
    """One language: its sentences, and its way to write dates, numbers and names."""

    locale: Locale
    translations: NullTranslations

    @property
    def code(self) -> str:
        """The language as a BCP 47 tag."""
        return str(self.locale.language)

    @property
    def direction(self) -> str:
        """The direction of writing: ``ltr`` or ``rtl``."""
        return str(self.locale.text_direction)

    @property
    def own_name(self) -> str:
        """The language's name for itself."""
        return (self.locale.get_language_name(self.locale) or self.code).capitalize()

    def say(self, message: str, /, **values: object) -> str:
        """Translate a sentence and fill in its values."""
        return str(self.translations.ugettext(message)) % values

    def inline(self, label: str) -> str:
        """Write a label within a sentence; German nouns keep their capital."""
        return label if self.code == "de" else label[:1].lower() + label[1:]

    def plural(self, one: str, many: str, number: int) -> str:
        """Translate a sentence in the plural form of ``number``, which it shows."""
        return str(self.translations.ungettext(one, many, number)) % {"number": self.number(number)}

    def day_at(self, at_s: float) -> str:
        """Write the day (UTC) of a time in Unix seconds."""
        return self.day(datetime.fromtimestamp(at_s, UTC))

    def day(self, day: date) -> str:
        """Write a day."""
        return format_date(day, "long", self.locale)

    def moment(self, at_s: float) -> str:
        """Write day and time (UTC) of a time in Unix seconds."""
        return format_datetime(datetime.fromtimestamp(at_s, UTC), "long", UTC, self.locale)

    def number(self, value: float) -> str:
        """Write a number with the separators of the language."""
        return format_decimal(value, locale=self.locale)

    def percent(self, share: float) -> str:
        """Write a share of one as a percentage."""
        return format_percent(share, locale=self.locale)

    def country(self, code: str) -> str:
        """Name a country by its ISO 3166-1 alpha-2 code, or the European Union by ``EU``."""
        return str(self.locale.territories.get(code, code))

    def language(self, tag: str) -> str:
        """Name a language by its BCP 47 tag; a tag without a name stays as it is."""
        try:
            return Locale.parse(tag, sep="-").get_display_name(self.locale) or tag
        except (UnknownLocaleError, ValueError):
            return tag

    def countries(self) -> list[tuple[str, str]]:
        """List countries by code and name, in the order of their names."""
        return _by_name((code, self.country(code)) for code in COUNTRIES)

    def languages(self) -> list[tuple[str, str]]:
        """List the languages with a two-letter code, by code and name, in the order of their names."""
        return _by_name((code, str(name)) for code, name in self.locale.languages.items() if len(code) == 2)


@cache
def texts_of(language: str) -> Texts:
    """Return one of ``LANGUAGES``."""
    if language == LANGUAGES[0]:
        return Texts(Locale("en", "GB"), NullTranslations())
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        catalogue = read_po(source, language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Texts(Locale(language), Translations(compiled))


def choose_language(asked: str, accept_language: str) -> str:
    """Choose one of ``LANGUAGES``: the one asked for, else the best of ``Accept-Language`` (RFC 9110, 12.5.4)."""
    if asked in LANGUAGES:
        return asked
    ranges = [each.partition(";") for each in accept_language.lower().split(",")[:_MOST_RANGES]]
    ranked = sorted(((_weight(weight), tag.strip().partition("-")[0]) for tag, _, weight in ranges), key=_negated)
    return next((tag for weight, tag in ranked if weight and tag in LANGUAGES), LANGUAGES[0])


def _weight(parameter: str) -> float:
    name, _, value = parameter.replace(" ", "").partition("=")
    try:
        return min(float(value), 1.0) if name == "q" else 1.0
    except ValueError:
        return 0.0


def _negated(ranked: tuple[float, str]) -> float:
    return -ranked[0]


def _by_name(named: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(named, key=lambda each: unicodedata.normalize("NFD", each[1]).casefold())
