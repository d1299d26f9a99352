"""Texts that may identify a person: shaped like an e-mail address or a phone number, or holding what nobody can see.

No list of shapes is complete, so doubt is refused: an at-sign in any spelling, digits written as people write phone
numbers, and any bare number as long as a phone number (ITU-T E.164, section 6.2.1: at most 15 digits). An ad id that
is refused becomes acceptable with a letter in it. Knows nothing of where a text comes from.
"""

import html
import re
import unicodedata
from typing import Final
from urllib.parse import unquote

LEAST_PHONE_DIGITS: Final = 7
MOST_PHONE_DIGITS: Final = 15

_MOST_UNWRAPPINGS: Final = 3
"""How many layers of percent-encoding or character references are looked through."""

# Fewer digits than a phone number has, and nothing that could spell an at-sign: most texts end here.
_HARMLESS: Final = re.compile(r"[A-Za-z_.:/ -]*(?:[0-9][A-Za-z_.:/ -]*){0,6}", re.ASCII)

_AT: Final = re.compile(r"@|[(\[{<]\s*at\s*[)\]}>]", re.IGNORECASE)
_ANNOUNCED: Final = re.compile(
    r"\b(?:(?:tel|telephone|phone|mobile|cell|msisdn|sms|callto|fax|whatsapp)[:=]|wa\.me/)[^0-9a-z]*"
    r"[0-9](?:[ ()./_,;+-]*[0-9]){6}",
    re.IGNORECASE,
)
_RUN: Final = re.compile(r"[+(]*[0-9][0-9 ()./_,;+-]*")
_BETWEEN: Final = "[-._/:| ]"
# 415-555-2671, also after a country code; 06.12.34.56.78; 0041-79-123-45-67.
_GROUPED: Final = re.compile(
    rf"(?<![0-9])(?:[0-9]{{3}}{_BETWEEN}[0-9]{{3}}{_BETWEEN}[0-9]{{4}}"
    r"|[0-9]{2}(?:\.[0-9]{2}){4}"
    rf"|00[1-9][0-9]{{0,2}}(?:{_BETWEEN}[0-9]{{2,4}}){{2,5}})(?![0-9])"
)


def is_identifying(text: str) -> bool:
    """Tell whether an identifier (of a segment, of an ad) is shaped like an e-mail address or a phone number."""
    if _HARMLESS.fullmatch(text):
        return False
    plain = _plain(text)
    if _unwrapped(plain) != plain:
        # What is wrapped deeper than anybody writes is there to hide something.
        return True
    return any(shape.search(plain) for shape in (_AT, _ANNOUNCED, _GROUPED)) or _is_phone(plain)


def is_identifying_prose(text: str) -> bool:
    """Tell the same of words, which need no long numbers at all."""
    return is_identifying(text) or _digits(_plain(text)) >= LEAST_PHONE_DIGITS


def has_invisible(text: str) -> bool:
    """Tell whether a text holds controls, unusual spaces, directions or anything else that cannot be seen."""
    return not text.isprintable()


def _plain(text: str) -> str:
    """Give the text as a sloppy reader would take it: decoded, in ASCII where it has an ASCII look."""
    for _ in range(_MOST_UNWRAPPINGS):
        text = _unwrapped(text)
    if text.isascii():
        return text
    return "".join(map(_plain_character, unicodedata.normalize("NFKC", text)))


def _unwrapped(text: str) -> str:
    return html.unescape(unquote(text)) if "%" in text or "&" in text else text


def _plain_character(character: str) -> str:
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    is_separator = unicodedata.category(character).startswith("P") and not character.isascii()
    return "-" if is_separator or character == "\N{MINUS SIGN}" else character


def _is_phone(plain: str) -> bool:
    """Tell whether any run of digits is a phone number, as it stands alone or among letters."""
    return any(
        _is_phone_alone(run) if run == plain.strip() else _is_phone_among_letters(run) for run in _RUN.findall(plain)
    )


def _is_phone_alone(run: str) -> bool:
    # A longer number is none, unless it is several.
    return _digits(run) >= LEAST_PHONE_DIGITS and not (run.isdigit() and len(run) > MOST_PHONE_DIGITS)


def _is_phone_among_letters(run: str) -> bool:
    run = run.strip(" -._/,;")
    if _digits(run) < LEAST_PHONE_DIGITS:
        return False
    return any(sign in run for sign in "+( ")


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))
