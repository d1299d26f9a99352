"""Texts that may identify a person: shaped like an e-mail address or a phone number, or with invisible characters.

No list of shapes is complete, so doubt is refused: an at-sign in any spelling, and digits written as people write
phone numbers (ITU-T E.164, section 6.2.1: at most 15 digits). Ids of ads, creatives and segments are often bare
numbers, such as 81234567: a number of ASCII digits alone is no phone number without a sign of one, which is a plus,
separators, a word, or an unusual spelling of the digits. This module does not know where a text comes from.
"""

import html
import re
import unicodedata
from typing import Final
from urllib.parse import unquote

LEAST_PHONE_DIGITS: Final = 7
MOST_PHONE_DIGITS: Final = 15

_MOST_UNWRAPPINGS: Final = 3
"""How many layers of percent-encoding or character references are decoded."""

_NUMBER: Final = re.compile(r"[0-9]+", re.ASCII)
# Fewer digits than a phone number has, and nothing that could spell an at-sign: most texts end here.
_HARMLESS: Final = re.compile(r"(?!.*[ ._:/-]at[ ._:/-])[A-Za-z_.:/ -]*(?:[0-9][A-Za-z_.:/ -]*){0,6}", re.ASCII)

_CODED: Final = re.compile(r"(?:\\u|%u)([0-9A-Fa-f]{4})|(?:\\x|=(?=40))([0-9A-Fa-f]{2})")
"""Characters as JavaScript, Python and quoted-printable (RFC 2045, section 6.7) write them."""

_NO_DOMAIN: Final = r"(?:jpe?g|png|gif|webp|svg|mp4|html?|js|json|xml|pdf)\b"
_AT: Final = re.compile(
    r"@|[(\[{<\"'|]\s*at\s*[)\]}>\"'|]"
    # bob at example.com, bob-at-example dot org; but look-at-this.jpg
    rf"|[ ._-]at[ ._-]+[a-z0-9-]+(?:\.|[ ._-]dot[ ._-])(?!{_NO_DOMAIN})[a-z]{{2,}}",
    re.IGNORECASE,
)
_ANNOUNCED: Final = re.compile(
    r"(?<![a-z])(?:tel|telephone|phone|mobile|mob|cell|handy|call|callto|msisdn|sms|fax|whatsapp|wa\.me)[^0-9a-z]*"
    r"[0-9](?:[ ()./_,;:+|=-]*[0-9]){6}",
    re.IGNORECASE,
)
_RUN: Final = re.compile(r"[+(]*[0-9][0-9 ()./_,;+-]*")
_BETWEEN: Final = "[-._/:| ]"
# 415-555-2671, also after a country code; 06.12.34.56.78; 0041-79-123-45-67; 0041791234567.
_GROUPED: Final = re.compile(
    rf"(?<![0-9])(?:[0-9]{{3}}{_BETWEEN}[0-9]{{3}}{_BETWEEN}[0-9]{{4}}"
    rf"|0[1-9](?:{_BETWEEN}[0-9]{{2}}){{4}}"
    rf"|00[1-9][0-9]{{0,2}}(?:{_BETWEEN}[0-9]{{2,8}}){{2,5}}"
    r"|00[1-9][0-9]{8,12})(?![0-9])"
)
_SPACED: Final = re.compile(r"[0-9]{2,4}(?: [0-9]{2,4}){2,}")

_YEAR: Final = "(?:19|20)[0-9]{2}"
_DATE: Final = re.compile(rf"(?<![0-9]){_YEAR}(?:-[01][0-9]-[0-3][0-9]|[01][0-9][0-3][0-9])(?![0-9])")
_YEARS: Final = re.compile(rf"(?<![0-9]){_YEAR}(?![0-9])")
_UUID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)
_BLANKS: Final = "\N{HANGUL FILLER}\N{HANGUL JUNGSEONG FILLER}\N{BRAILLE PATTERN BLANK}"


def is_identifying(text: str) -> bool:
    """Whether an identifier (of a segment, of an ad) is shaped like an e-mail address or a phone number."""
    if _HARMLESS.fullmatch(text) or _NUMBER.fullmatch(text):
        return False
    plain = _plain(text)
    if _unwrapped(plain) != plain:
        # A text encoded this deeply hides something.
        return True
    return bool(_AT.search(plain)) or _is_phone(plain)


def is_identifying_prose(text: str) -> bool:
    """Whether words are; words need no long numbers at all, except years."""
    return is_identifying(text) or _digits(_YEARS.sub("", _plain(text))) >= LEAST_PHONE_DIGITS


def has_invisible(text: str) -> bool:
    """Whether a text holds controls, unusual spaces, directions or other invisible characters."""
    return not text.isprintable() or any(blank in text for blank in _BLANKS)


def _plain(text: str) -> str:
    """Return the text as a lenient reader would take it: decoded, and in ASCII where it looks like ASCII."""
    for _ in range(_MOST_UNWRAPPINGS):
        text = _unwrapped(text)
    if text.isascii():
        return text
    return "".join(map(_plain_character, unicodedata.normalize("NFKD", text)))


def _unwrapped(text: str) -> str:
    if "%" in text or "&" in text:
        text = html.unescape(unquote(text))
    return _CODED.sub(lambda found: chr(int(found[1] or found[2], 16)), text)


def _plain_character(character: str) -> str:
    if (digit := unicodedata.digit(character, None)) is not None:
        return str(digit)
    if character.isascii():
        return character
    if character == "\N{MINUS SIGN}":
        return "-"
    return _PLAIN_OF_CATEGORY.get(unicodedata.category(character), character)


_PLAIN_OF_CATEGORY: Final = {
    **dict.fromkeys(("Mn", "Me"), ""),
    **dict.fromkeys(("Ps", "Pi"), "("),
    **dict.fromkeys(("Pe", "Pf"), ")"),
    **dict.fromkeys(("Pd", "Po", "Pc"), "-"),
}
"""What characters of a Unicode category are read as: marks as nothing, brackets and quotes as brackets."""


def _is_phone(plain: str) -> bool:
    """Whether any digits are a phone number, alone or among letters."""
    plain = _UUID.sub("uuid", plain)
    if not any(map(str.isalpha, plain)):
        return _is_phone_alone(plain)
    undated = _DATE.sub("", plain)
    return bool(_ANNOUNCED.search(undated) or _GROUPED.search(undated)) or any(
        map(_is_phone_among_letters, _RUN.findall(undated))
    )


def _is_phone_alone(text: str) -> bool:
    if _GROUPED.search(text):
        return True
    # A colon stands between a taxonomy and its segment, and in a time; a date has hyphens, else it could be a number.
    inner = text.strip(" \"'()[]{}<>#:*.,;-_/|=~")
    if ":" in inner or ("-" in inner and _DATE.fullmatch(inner)):
        return False
    # A longer number is none, unless it is several.
    return _digits(inner) >= LEAST_PHONE_DIGITS and not (inner.isdigit() and len(inner) > MOST_PHONE_DIGITS)


def _is_phone_among_letters(run: str) -> bool:
    run = run.strip(" -._/,;")
    return _digits(run) >= LEAST_PHONE_DIGITS and (any(sign in run for sign in "+(") or bool(_SPACED.search(run)))


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))
