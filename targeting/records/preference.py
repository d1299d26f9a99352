"""The preference record: a person's stored choice, locale and birth date, with the history of the choice.

It is stored apart from the profile, so that a decision learns about an opt-out, and about a child, without reading the
profile. This module knows no profile.
"""

import struct
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from targeting.records.envelope import RecordUnreadable, seal, unseal

MAX_HISTORY = 32

_MAGIC = b"aP"
_SCHEMA = 1
_HEAD = Struct("<BBBBIQi2s")
"""choice, source, bytes of the language, changes, version, changed at (ms), birth day, country."""
_CHANGE = Struct("<IBBQ8s")
_EXPIRY = Struct("<I")
"""Behind the changes, in a record that expires."""
_NO_BIRTH_DAY = -(2**31)
_NO_COUNTRY = b"\0\0"


class Choice(IntEnum):
    """What the person chose; the numbers are those of ``adtargeting.v1.Choice``."""

    NONE = 0
    OPT_OUT = 1
    OPT_IN = 2


CHOICES_THAT_ALLOW = frozenset((Choice.NONE, Choice.OPT_IN))
"""The choices under which a profile may be used and written; any other value, also one of a newer version, limits."""


class Source(IntEnum):
    """Where the choice was made; the numbers are those of ``adtargeting.v1.Source``."""

    UNSTATED = 0
    ACCOUNT_PAGE = 1
    CLIENT_SETTING = 2
    BROWSER = 3
    INDUSTRY_PAGE = 4
    GPC = 5
    GUARDIAN = 6
    SUPPORT = 7


class PreferenceChange(NamedTuple):
    """One change of a choice."""

    version: int
    choice: Choice
    source: Source
    changed_at_ms: int
    change_key: bytes
    """Eight bytes derived from the caller's idempotency key; never the key itself."""


class Preference(NamedTuple):
    """A preference record. ``birth_day`` counts days since 1970-01-01; empty strings mean not set."""

    choice: Choice = Choice.NONE
    source: Source = Source.UNSTATED
    changed_at_ms: int = 0
    version: int = 0
    country: str = ""
    language: str = ""
    birth_day: int | None = None
    history: tuple[PreferenceChange, ...] = ()
    """Newest first, at most ``MAX_HISTORY``."""
    expires_s: int = 0
    """When the store removes the record (Unix seconds); 0: never."""


class StoredChoice(NamedTuple):
    """The part of a preference record that decisions read."""

    choice: int
    birth_day: int | None
    country: str
    language: str


def encode_preference(preference: Preference, owner: bytes) -> bytes:
    """Return the record's stored form, bound to the owner's 16-byte pseudonym."""
    language = preference.language.encode("ascii")
    history = preference.history[:MAX_HISTORY]
    head = _HEAD.pack(
        preference.choice,
        preference.source,
        len(language),
        len(history),
        preference.version,
        preference.changed_at_ms,
        _NO_BIRTH_DAY if preference.birth_day is None else preference.birth_day,
        preference.country.encode("ascii") or _NO_COUNTRY,
    )
    changes = b"".join(_CHANGE.pack(*change) for change in history)
    expiry = _EXPIRY.pack(preference.expires_s) if preference.expires_s else b""
    return seal(_MAGIC, _SCHEMA, owner, head + language + changes + expiry)


def read_stored_choice(value: bytes, owner: bytes) -> StoredChoice:
    """Read what a decision needs. Raises ``RecordUnreadable``."""
    body = unseal(value, _MAGIC, _SCHEMA, owner)
    try:
        choice, _, language_size, _, _, _, birth_day, country = _HEAD.unpack_from(body)
        return StoredChoice(
            choice,
            None if birth_day == _NO_BIRTH_DAY else birth_day,
            "" if country == _NO_COUNTRY else country.decode("ascii"),
            body[_HEAD.size : _HEAD.size + language_size].decode("ascii") if language_size else "",
        )
    except (struct.error, ValueError):
        raise RecordUnreadable("the record holds values that this version cannot read") from None


def decode_preference(value: bytes, owner: bytes) -> Preference:
    """Read the whole record. Raises ``RecordUnreadable``."""
    stored = read_stored_choice(value, owner)
    body = unseal(value, _MAGIC, _SCHEMA, owner)
    choice, source, language_size, changes, version, changed_at_ms, _, _ = _HEAD.unpack_from(body)
    history, expiry = _divide(body[_HEAD.size + language_size :], changes * _CHANGE.size)
    try:
        return Preference(
            choice=Choice(choice),
            source=Source(source),
            changed_at_ms=changed_at_ms,
            version=version,
            country=stored.country,
            language=stored.language,
            birth_day=stored.birth_day,
            history=tuple(
                PreferenceChange(
                    version=of_version,
                    choice=Choice(of_choice),
                    source=Source(of_source),
                    changed_at_ms=at_ms,
                    change_key=key,
                )
                for of_version, of_choice, of_source, at_ms, key in _CHANGE.iter_unpack(history)
            ),
            expires_s=_EXPIRY.unpack(expiry)[0] if expiry else 0,
        )
    except ValueError:
        # A choice or a source of a newer version.
        raise RecordUnreadable("the record holds values that this version cannot read") from None


def _divide(rest: bytes, history_size: int) -> tuple[bytes, bytes]:
    """Return the packed history and the packed expiry, empty where there is none."""
    history, expiry = rest[:history_size], rest[history_size:]
    if len(history) != history_size or len(expiry) not in {0, _EXPIRY.size}:
        raise RecordUnreadable("the record's history is truncated")
    return history, expiry
