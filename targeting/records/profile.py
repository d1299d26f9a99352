"""The profile: what is known about a person, as one compact value per subject.

Only the code of behavioural mode and the writers of profiles may import this module. A profile holds no identifier of
the person: its seal binds it to the owner's pseudonym (``targeting.records.envelope``).

Stored form: a fixed head, then fixed-size rows for interests, call destinations and exposures, then the texts.
The rows of many profiles concatenate, so that one numpy pass reads a whole batch.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

import numpy as np

from targeting.features.taxonomy import CODES, segment_code
from targeting.model import Gender
from targeting.records.envelope import RecordUnreadable, seal, unseal

MAX_INTERESTS = 64
MAX_DESTINATIONS = 32
MAX_EXPOSURES = 128
SCORE_STEPS = 65_535
MOST_COUNTED = 65_535
"""Counts of impressions and clicks of one ad stop here."""

_MAGIC = b"aF"
_SCHEMA = 1
_HEAD = Struct("<BBBBBBB2sIII")
"""gender, interests, destinations, exposures, bytes of occupation, postal code and language, country, version,
created at, updated at (s)."""
_NO_COUNTRY = b"\0\0"
_LENGTHS = [bytes((size,)) for size in range(256)]

OUTSIDE_CODE = 1 << 15
"""Codes from here on index the profile's own names: segments of outside sources."""

INTEREST_ROW = np.dtype([("code", "<u2"), ("updated_s", "<u4"), ("score", "<u2"), ("kind", "u1")])
DESTINATION_ROW = np.dtype([("country", "<u2"), ("weight", "<f4"), ("updated_s", "<u4")])
EXPOSURE_ROW = np.dtype([("count", "<u2"), ("clicks", "<u2"), ("last_seen_s", "<u4")])
INTEREST = Struct("<HIHB")
DESTINATION = Struct("<2sfI")
EXPOSURE = Struct("<HHI")
"""The same rows, for reading and writing one at a time."""
_HEAD_SIZE, _INTEREST_SIZE, _DESTINATION_SIZE, _EXPOSURE_SIZE = (
    layout.size for layout in (_HEAD, INTEREST, DESTINATION, EXPOSURE)
)


class SegmentKind(IntEnum):
    """The source of a segment, which sets its half-life; the numbers are those of ``adtargeting.v1.SegmentKind``."""

    CONTENT = 1
    PURCHASE = 2
    EXTERNAL = 3


_KINDS = bytes(SegmentKind)
_HIGH_BYTE_OF_CODE, _KIND, _HIGH_BYTE_OF_WEIGHT = 1, 8, 5
"""Offsets in the row of an interest (the first two) and of a destination."""
_FIRST_BEYOND_TAXONOMY = divmod(CODES, 256)
"""High and low byte."""
_BEYOND_ANY_WEIGHT = 0x7F
"""The lowest high byte of a float32 that is 1.7e38 or more, infinite, NaN or negative."""


class HeldInterest(NamedTuple):
    """A segment, its score (0..1) at its last gain, and the time of that gain (Unix seconds)."""

    segment_id: str
    kind: SegmentKind
    score: float
    updated_s: int


class HeldDestination(NamedTuple):
    """Calls to a country (ISO 3166-1 alpha-2): a decaying count, and the time of the last call (Unix seconds)."""

    country: str
    weight: float
    updated_s: int


class HeldExposure(NamedTuple):
    """How often an ad was seen and clicked, and when last (Unix seconds)."""

    ad_id: str
    impressions: int
    clicks: int
    last_seen_s: int


class Profile(NamedTuple):
    """Everything a profile holds. Empty strings mean not known; times are Unix seconds."""

    gender: Gender = Gender.UNKNOWN
    occupation: str = ""
    postal_code: str = ""
    country: str = ""
    language: str = ""
    interests: tuple[HeldInterest, ...] = ()
    destinations: tuple[HeldDestination, ...] = ()
    exposures: tuple[HeldExposure, ...] = ()
    version: int = 0
    created_s: int = 0
    updated_s: int = 0


class RawProfile(NamedTuple):
    """A checked profile with its rows still packed, for batches; ``ad_ids`` are UTF-8, one per exposure."""

    gender: int
    occupation: str
    postal_code: str
    country: str
    language: str
    interest_rows: bytes
    destination_rows: bytes
    exposure_rows: bytes
    outside_names: tuple[str, ...]
    ad_ids: list[bytes]
    version: int
    created_s: int
    updated_s: int


NOTHING_KNOWN = RawProfile(
    gender=0,
    occupation="",
    postal_code="",
    country="",
    language="",
    interest_rows=b"",
    destination_rows=b"",
    exposure_rows=b"",
    outside_names=(),
    ad_ids=[],
    version=0,
    created_s=0,
    updated_s=0,
)


def encode_profile(profile: Profile, owner: bytes) -> bytes:
    """Return the profile's stored form, bound to the owner's 16-byte pseudonym."""
    return write_profile(packed_profile(profile), owner)


def packed_profile(profile: Profile) -> RawProfile:
    """Pack the rows of a profile."""
    outside: list[str] = []
    interests = [
        INTEREST.pack(_code(held.segment_id, outside), held.updated_s, round(held.score * SCORE_STEPS), held.kind)
        for held in profile.interests
    ]
    destinations = [
        DESTINATION.pack(held.country.encode("ascii"), held.weight, held.updated_s) for held in profile.destinations
    ]
    exposures = [
        EXPOSURE.pack(min(held.impressions, MOST_COUNTED), min(held.clicks, MOST_COUNTED), held.last_seen_s)
        for held in profile.exposures
    ]
    return RawProfile(
        gender=profile.gender,
        occupation=profile.occupation,
        postal_code=profile.postal_code,
        country=profile.country,
        language=profile.language,
        interest_rows=b"".join(interests),
        destination_rows=b"".join(destinations),
        exposure_rows=b"".join(exposures),
        outside_names=tuple(outside),
        ad_ids=[held.ad_id.encode() for held in profile.exposures],
        version=profile.version,
        created_s=profile.created_s,
        updated_s=profile.updated_s,
    )


def write_profile(raw: RawProfile, owner: bytes) -> bytes:
    """Return the stored form of a profile whose rows are packed, bound to the owner's 16-byte pseudonym."""
    occupation, postal_code, language = raw.occupation.encode(), raw.postal_code.encode(), raw.language.encode()
    head = _HEAD.pack(
        raw.gender,
        len(raw.interest_rows) // INTEREST.size,
        len(raw.destination_rows) // DESTINATION.size,
        len(raw.exposure_rows) // EXPOSURE.size,
        len(occupation),
        len(postal_code),
        len(language),
        raw.country.encode("ascii") or _NO_COUNTRY,
        raw.version,
        raw.created_s,
        raw.updated_s,
    )
    parts = [head, raw.interest_rows, raw.destination_rows, raw.exposure_rows, occupation, postal_code, language]
    for name in (*map(str.encode, raw.outside_names), *raw.ad_ids):
        parts += (_LENGTHS[len(name)], name)
    return seal(_MAGIC, _SCHEMA, owner, b"".join(parts))


def read_profile(value: bytes, owner: bytes) -> RawProfile:
    """Check a stored profile and find its parts. Raises ``RecordUnreadable``."""
    body = unseal(value, _MAGIC, _SCHEMA, owner)
    try:
        return _parts(body)
    except (struct.error, ValueError, IndexError):
        raise RecordUnreadable("the record holds values that this version cannot read") from None


def _parts(body: bytes) -> RawProfile:
    (gender, interests, destinations, exposures, occupation, postal_code, language,
     country, version, created_s, updated_s) = _HEAD.unpack_from(body)  # fmt: skip
    at_destinations = _HEAD_SIZE + interests * _INTEREST_SIZE
    at_exposures = at_destinations + destinations * _DESTINATION_SIZE
    at_texts = at_exposures + exposures * _EXPOSURE_SIZE
    at_postal_code = at_texts + occupation
    at_language = at_postal_code + postal_code
    at_names = at_language + language
    names = _read_names(body, at_names)
    outside = len(names) - exposures
    if outside < 0 or at_names > len(body) or gender >= len(Gender):
        raise ValueError
    interest_rows, destination_rows = body[_HEAD_SIZE:at_destinations], body[at_destinations:at_exposures]
    _check_rows(interest_rows, destination_rows, outside)
    # Responses contain the ids unchanged.
    b"\0".join(names[outside:]).decode()
    return RawProfile(
        gender=gender,
        occupation=body[at_texts:at_postal_code].decode(),
        postal_code=body[at_postal_code:at_language].decode(),
        country="" if country == _NO_COUNTRY else country.decode("ascii"),
        language=body[at_language:at_names].decode(),
        interest_rows=interest_rows,
        destination_rows=destination_rows,
        exposure_rows=body[at_exposures:at_texts],
        outside_names=tuple(map(bytes.decode, names[:outside])) if outside else (),
        ad_ids=names[outside:] if outside else names,
        version=version,
        created_s=created_s,
        updated_s=updated_s,
    )


def _check_rows(interest_rows: bytes, destination_rows: bytes, outside: int) -> None:
    """Raise ``ValueError`` for values that features cannot be computed from; codes and kinds are indices of tables.

    ``outside`` is the number of the profile's own names.
    """
    if interest_rows[_KIND::_INTEREST_SIZE].strip(_KINDS):
        raise ValueError
    codes_by_byte = zip(interest_rows[_HIGH_BYTE_OF_CODE::_INTEREST_SIZE], interest_rows[::_INTEREST_SIZE], strict=True)
    # Nearly every profile has codes of the taxonomy alone, which this sees without a step of Python for each.
    if max(codes_by_byte, default=(0, 0)) >= _FIRST_BEYOND_TAXONOMY:
        codes = (code for code, *_ in INTEREST.iter_unpack(interest_rows))
        if not all(code < CODES or 0 <= code - OUTSIDE_CODE < outside for code in codes):
            raise ValueError
    if destination_rows:
        countries = destination_rows[::_DESTINATION_SIZE] + destination_rows[1::_DESTINATION_SIZE]
        if not (countries.isalpha() and countries.isupper()):
            raise ValueError
        if max(destination_rows[_HIGH_BYTE_OF_WEIGHT::_DESTINATION_SIZE]) >= _BEYOND_ANY_WEIGHT:
            raise ValueError


def decode_profile(value: bytes, owner: bytes) -> Profile:
    """Read the whole profile. Raises ``RecordUnreadable``."""
    try:
        return whole_profile(read_profile(value, owner))
    except (struct.error, ValueError, IndexError):
        # RecordUnreadable is a ValueError; the others come from values of a newer version.
        raise RecordUnreadable("the record holds values that this version cannot read") from None


def whole_profile(raw: RawProfile) -> Profile:
    """Unpack the rows of a profile."""
    return Profile(
        gender=Gender(raw.gender),
        occupation=raw.occupation,
        postal_code=raw.postal_code,
        country=raw.country,
        language=raw.language,
        interests=tuple(
            HeldInterest(segment_name(code, raw.outside_names), SegmentKind(kind), score / SCORE_STEPS, updated_s)
            for code, updated_s, score, kind in INTEREST.iter_unpack(raw.interest_rows)
        ),
        destinations=tuple(
            HeldDestination(country.decode("ascii"), weight, updated_s)
            for country, weight, updated_s in DESTINATION.iter_unpack(raw.destination_rows)
        ),
        exposures=tuple(
            HeldExposure(ad_id.decode(), *row)
            for ad_id, row in zip(raw.ad_ids, exposure_rows(raw.exposure_rows), strict=True)
        ),
        version=raw.version,
        created_s=raw.created_s,
        updated_s=raw.updated_s,
    )


def exposure_rows(rows: bytes) -> Iterator[tuple[int, int, int]]:
    """Unpack impressions, clicks and the time last seen (Unix seconds) of each exposure."""
    return EXPOSURE.iter_unpack(rows)


def segment_name(code: int, outside_names: tuple[str, ...]) -> str:
    """Return the segment id of a stored code."""
    return str(code) if code < OUTSIDE_CODE else outside_names[code - OUTSIDE_CODE]


def _code(segment_id: str, outside: list[str]) -> int:
    """Return the code of a segment; a name outside the IAB taxonomy is added to the profile's own names."""
    if (code := segment_code(segment_id)) is not None:
        return code
    outside.append(segment_id)
    return OUTSIDE_CODE + len(outside) - 1


def _read_names(body: bytes, at: int) -> list[bytes]:
    names, end = [], len(body)
    while at < end:
        stop = at + 1 + body[at]
        names.append(body[at + 1 : stop])
        at = stop
    return names
