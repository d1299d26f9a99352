"""Declared attributes: from the message to core values, and back.

``InvalidRequest`` names the invalid field, never its value.
"""

import re
from collections.abc import Sequence

from adtargeting.v1 import profile_pb2 as pb

from server.calls.dates import birth_day, date_message
from server.errors import InvalidRequest
from server.messages.enums import enum
from server.messages.translate import checked_country
from targeting.model import Gender
from targeting.places.locale import best_language
from targeting.recording.correction import PATHS, DeclaredAttributes
from targeting.recording.pii import has_invisible, is_identifying_prose
from targeting.signals.nap import MAX_OCCUPATION_BYTES, MAX_POSTAL_CODE_BYTES

# No postal code of the Universal Postal Union has more than ten characters and two separators, such as "1234567-890".
# Without letters at most eight digits occur, except in the United States (ZIP+4, "12345-6789") and Iran; only Bermuda
# has codes without digits ("HM CX").
_POSTAL_CODE = re.compile(r"(?=.*[0-9]|[A-Z]{2} ?[A-Z]{2}$)[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+){0,2}", re.ASCII)
_LONG_POSTAL_CODE = re.compile(r"[0-9]{5}-?[0-9]{4}|[0-9]{5}-[0-9]{5}", re.ASCII)
_MAX_DIGITS_ALONE = 8
_MAX_IN_POSTAL_CODE = 10
_GENDERS = {int(gender): gender for gender in Gender}


def read_paths(paths: Sequence[str]) -> frozenset[str]:
    """Return the attributes to correct. Raises ``InvalidRequest``."""
    known = ", ".join(sorted(PATHS))
    for index, path in enumerate(paths):
        if path not in PATHS:
            raise InvalidRequest(f"update_mask.paths[{index}]", f"unknown attribute; use {known}")
    if not paths:
        raise InvalidRequest("update_mask", f"must not be empty; name at least one of {known}")
    return frozenset(paths)


def read_declared(message: pb.DeclaredAttributes, paths: frozenset[str], now_s: float) -> DeclaredAttributes:
    """Read the named attributes; an empty one is withdrawn. Raises ``InvalidRequest``."""
    declared = DeclaredAttributes()
    if "birth_date" in paths and message.HasField("birth_date"):
        declared = declared._replace(birth_day=birth_day("declared.birth_date", message.birth_date, now_s))
    if "gender" in paths:
        declared = declared._replace(gender=_gender(message.gender))
    if "occupation" in paths:
        declared = declared._replace(occupation=_occupation(message.occupation))
    if "postal_code" in paths:
        declared = declared._replace(postal_code=_postal_code(message.postal_code))
    if "country" in paths:
        declared = declared._replace(country=checked_country("declared.country", message.country))
    if "language" in paths:
        declared = declared._replace(language=_language(message.language))
    return declared


def declared_message(declared: DeclaredAttributes) -> pb.DeclaredAttributes:
    """Return the message of declared attributes."""
    return pb.DeclaredAttributes(
        birth_date=None if declared.birth_day is None else date_message(declared.birth_day),
        gender=enum(declared.gender),
        occupation=declared.occupation,
        postal_code=declared.postal_code,
        country=declared.country,
        language=declared.language,
    )


def _gender(number: int) -> Gender:
    if number not in _GENDERS:
        raise InvalidRequest("declared.gender", "unknown value; use a gender of adtargeting.v1.Gender")
    return _GENDERS[number]


def _occupation(text: str) -> str:
    if len(text.encode()) > MAX_OCCUPATION_BYTES:
        raise InvalidRequest("declared.occupation", f"must have at most {MAX_OCCUPATION_BYTES} bytes")
    if has_invisible(text):
        raise InvalidRequest("declared.occupation", "must not contain control or invisible characters")
    if is_identifying_prose(text):
        raise InvalidRequest(
            "declared.occupation", "looks like an e-mail address or a phone number, which may not be stored"
        )
    return text


def _postal_code(text: str) -> str:
    if len(text.encode()) > MAX_POSTAL_CODE_BYTES:
        raise InvalidRequest("declared.postal_code", f"must have at most {MAX_POSTAL_CODE_BYTES} bytes")
    characters = len(text.replace(" ", "").replace("-", ""))
    is_long = characters > _MAX_DIGITS_ALONE and not any(map(str.isalpha, text))
    if text and (
        characters > _MAX_IN_POSTAL_CODE
        or not _POSTAL_CODE.fullmatch(text)
        or (is_long and not _LONG_POSTAL_CODE.fullmatch(text))
    ):
        raise InvalidRequest("declared.postal_code", "not a postal code; send letters, digits, a space or a hyphen")
    return text


def _language(text: str) -> str:
    language = best_language(text, "") if text else ""
    if text and not language:
        raise InvalidRequest("declared.language", "not a language; send a BCP 47 tag or leave it empty")
    return language
