"""The preference record: a person's stored choice, locale and birth date, with the history of the choice.

It is stored apart from the profile, so that a decision learns about an opt-out, and about a child, without reading the
profile. This module knows no profile.

Schema 1 has no actors and no tickets. A record without any is still written in it, so a version that knows only schema
1 reads on; to that version a record of schema 2 is a newer one, which limits.
"""

import struct
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from targeting.records.envelope import RecordUnreadable, seal, unseal

MAX_HISTORY = 32

_MAGIC = b"aP"
_PLAIN, _WITH_ORIGINS = 1, 2
"""The schemas; the second tells the origin of each change."""
_SCHEMA_AT = len(_MAGIC)
_HEAD = Struct("<BBBBIQi2s")
"""choice, source, bytes of the language, changes, version, changed at (ms), birth day, country."""
_CHANGE = Struct("<IBBQ8s")
_EXPIRY = Struct("<I")
"""Behind the changes, in a record that expires, and in every one of schema 2; 0: never."""
_ORIGIN = Struct("<HH")
"""Bytes of the actor and of the ticket, which follow; one for each change, in schema 2, behind the expiry."""
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
    actor: str = ""
    """Name of the client that made the change; empty for one without a name."""
    ticket: str = ""
    """The client's reference to why, such as a case number."""


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
    changes = b"".join(_CHANGE.pack(*change[:5]) for change in history)
    expiry = _EXPIRY.pack(preference.expires_s) if preference.expires_s else b""
    if not any(change.actor or change.ticket for change in history):
        return seal(_MAGIC, _PLAIN, owner, head + language + changes + expiry)
    origins = b"".join(map(_pack_origin, history))
    return seal(_MAGIC, _WITH_ORIGINS, owner, head + language + changes + (expiry or bytes(_EXPIRY.size)) + origins)


def read_stored_choice(value: bytes, owner: bytes) -> StoredChoice:
    """Read what a decision needs. Raises ``RecordUnreadable``."""
    body = unseal(value, _MAGIC, _schema_of(value), owner)
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
    schema = _schema_of(value)
    body = unseal(value, _MAGIC, schema, owner)
    choice, source, language_size, changes, version, changed_at_ms, _, _ = _HEAD.unpack_from(body)
    history, rest = _divide(body[_HEAD.size + language_size :], changes * _CHANGE.size)
    try:
        expires_s, origins = _read_rest(rest, schema, changes)
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
                    actor=actor,
                    ticket=ticket,
                )
                for (of_version, of_choice, of_source, at_ms, key), (actor, ticket) in zip(
                    _CHANGE.iter_unpack(history), origins, strict=True
                )
            ),
            expires_s=expires_s,
        )
    except (struct.error, ValueError):
        # A choice or a source of a newer version, or origins that are cut off.
        raise RecordUnreadable("the record holds values that this version cannot read") from None


def _schema_of(value: bytes) -> int:
    return _WITH_ORIGINS if value[_SCHEMA_AT : _SCHEMA_AT + 1] == b"\2" else _PLAIN


def _divide(rest: bytes, history_size: int) -> tuple[bytes, bytes]:
    """Return the packed history, and what is behind it."""
    history = rest[:history_size]
    if len(history) != history_size:
        raise RecordUnreadable("the record's history is truncated")
    return history, rest[history_size:]


def _read_rest(rest: bytes, schema: int, changes: int) -> tuple[int, list[tuple[str, str]]]:
    """Return the expiry, and the actor and the ticket of each change. Raises ``struct.error`` or ``ValueError``."""
    if schema == _PLAIN:
        return _EXPIRY.unpack(rest)[0] if rest else 0, [("", "")] * changes
    (expires_s,) = _EXPIRY.unpack_from(rest)
    at, origins = _EXPIRY.size, []
    for _ in range(changes):
        actor_size, ticket_size = _ORIGIN.unpack_from(rest, at)
        actor_at, ticket_at = at + _ORIGIN.size, at + _ORIGIN.size + actor_size
        at = ticket_at + ticket_size
        origins.append((rest[actor_at:ticket_at].decode(), rest[ticket_at:at].decode()))
    if at != len(rest):
        raise ValueError("another number of bytes than the origins have")
    return expires_s, origins


def _pack_origin(change: PreferenceChange) -> bytes:
    actor, ticket = change.actor.encode(), change.ticket.encode()
    return _ORIGIN.pack(len(actor), len(ticket)) + actor + ticket
