"""The content of the ``NAP`` cookie after decryption: country, postal code, age, gender, language, occupation.

The plaintext is a query string (application/x-www-form-urlencoded, UTF-8) of the known fields, named as in ``Nap``:
``country=GB&postal_code=SW1A+1AA&age=34&gender=female&language=en-GB&occupation=teacher``.

Invariant: ``parse_nap`` returns normal forms only, and reads back what ``render_nap`` writes. Unknown fields are
ignored, so that newer writers and older readers work together. Knows nothing of keys and ciphers.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

from targeting.model import Gender
from targeting.places.locale import best_language, parse_country
from targeting.signals.unreadable import Unreadable

MAX_LENGTH: Final = 1024
"""Bytes of the longest plaintext."""
MAX_POSTAL_CODE_BYTES: Final = 16
MAX_OCCUPATION_BYTES: Final = 64
MAX_AGE: Final = 150

_MAX_FIELDS: Final = 16
_AGE: Final = re.compile(r"[0-9]{1,3}")
_GENDERS: Final = {gender.name.lower(): gender for gender in Gender if gender is not Gender.UNKNOWN}


class Nap(NamedTuple):
    """What the person stated at registration. Unknown fields are empty."""

    country: str = ""
    """ISO 3166-1 alpha-2."""
    postal_code: str = ""
    age: int | None = None
    """Years, 0 to 150."""
    gender: Gender = Gender.UNKNOWN
    language: str = ""
    """BCP 47."""
    occupation: str = ""

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "Nap(...)"


def parse_nap(plaintext: bytes) -> Nap:
    """Parse a plaintext. Raises ``Unreadable`` for no query string, a repeated field, or an age outside 0 to 150.

    Any other malformed field is empty, so that a child stays recognisable beside a malformed postal code.
    """
    fields = _fields(plaintext)
    return Nap(
        country=parse_country(fields.get("country", "")) or "",
        postal_code=_text(fields.get("postal_code", ""), MAX_POSTAL_CODE_BYTES),
        age=_age(fields.get("age", "")),
        gender=_GENDERS.get(fields.get("gender", ""), Gender.UNKNOWN),
        language=best_language(fields.get("language", ""), ""),
        occupation=_text(fields.get("occupation", ""), MAX_OCCUPATION_BYTES),
    )


def render_nap(nap: Nap) -> bytes:
    """Return the plaintext. Raises ``ValueError`` for fields that ``parse_nap`` would read differently."""
    fields = nap._asdict() | {"gender": nap.gender.name.lower() if nap.gender else ""}
    known = {name: value for name, value in fields.items() if value not in {"", None}}
    plaintext = urlencode(known).encode("ascii")
    if parse_nap(plaintext) != nap:
        raise ValueError("a field of the NAP cookie is not in its normal form")
    return plaintext


def _fields(plaintext: bytes) -> dict[str, str]:
    if len(plaintext) > MAX_LENGTH:
        raise Unreadable("too long")
    try:
        pairs = parse_qsl(
            plaintext.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise Unreadable("not a query string") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Unreadable("a repeated field")
    return fields


def _age(text: str) -> int | None:
    if not text:
        return None
    age = int(text) if _AGE.fullmatch(text) else MAX_AGE + 1
    if age > MAX_AGE:
        raise Unreadable("an age that is not a number from 0 to 150")
    return age


def _text(value: str, max_bytes: int) -> str:
    return value if value.isprintable() and len(value.encode()) <= max_bytes else ""
