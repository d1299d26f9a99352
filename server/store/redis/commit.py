"""Committing changes: the script beside this file, and what it is told.

Invariants, held by the server in one step: a change lands only upon the values it was made from; nothing is
recorded of somebody whose stored choice forbids it; no profile is left without a preference.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from redis.exceptions import NoScriptError

from server.store.keys import seen_key
from server.store.ports import Change, Committed
from server.store.redis.connection import Connection, Reply, pack
from targeting.records.envelope import PREFIX
from targeting.records.preference import CHOICES_THAT_ALLOW

UNREADABLE = b"\0"
"""Stands for a value that is no string in Redis. No record looks like it, so the core refuses to read it."""

CHOICE_AT = PREFIX.size
"""Where the choice stands in a preference record: its body's first byte."""

_SCRIPT = Path(__file__).with_name("commit.lua").read_bytes()
_SCRIPT_SHA = hashlib.sha1(_SCRIPT, usedforsecurity=False).hexdigest().encode()  # how EVALSHA names a script
_GUARD = (b"%d" % (CHOICE_AT + 1), bytes(sorted(CHOICES_THAT_ALLOW)))


def check(change: Change, owner: bytes) -> None:
    """Refuse a change that no caller may make. Raises ``ValueError``."""
    if change.expected.owner != owner:
        raise ValueError("the change was made from a reading of somebody else")
    if (change.profile and change.profile_ttl_s <= 0) or (change.seen and change.seen_ttl_s <= 0):
        raise ValueError("profiles, and what was seen, are kept for a limited time: give it in seconds")


def arguments(
    change: Change, preference_key: bytes, profile_key: bytes, linked_keys: Sequence[bytes] = ()
) -> tuple[bytes, ...]:
    """Give the number of the script's keys, the keys and the arguments for a change.

    ``linked_keys`` are those of the linked subjects' preferences and profiles, in order.
    """
    return (
        b"%d" % (3 + len(linked_keys)),
        preference_key,
        profile_key,
        seen_key(profile_key),
        *linked_keys,
        *_GUARD,
        _expectation(change.expected.preference),
        _expectation(change.expected.profile),
        b"".join(map(_action, (change.preference, change.profile, change.seen))),
        change.preference or b"",
        change.profile or b"",
        change.seen or b"",
        b"%d" % change.profile_ttl_s,
        b"%d" % change.seen_ttl_s,
        *(_expectation(preference) for _, preference in change.linked),
    )


def apply(link: Connection, changes: Sequence[tuple[bytes, ...]], deadline_s: float) -> list[Committed]:
    """Apply changes, given as the script's arguments, in order; tell what became of them. Raises ``StoreError``."""
    replies = _evaluate(link, (b"EVALSHA", _SCRIPT_SHA), changes, deadline_s)
    missed = [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
    if missed:
        again = _evaluate(link, (b"EVAL", _SCRIPT), [changes[at] for at in missed], deadline_s)
        for at, reply in zip(missed, again, strict=True):
            replies[at] = reply
    return [_committed(link.accept(reply)) for reply in replies]


def _committed(answer: int) -> Committed:
    return Committed(landed=True, removed=answer - 1) if answer else Committed(landed=False)


def _evaluate(
    link: Connection, script: tuple[bytes, bytes], changes: Sequence[tuple[bytes, ...]], deadline_s: float
) -> list[Reply]:
    commands = b"".join(pack((*script, *each)) for each in changes)
    return link.exchange(commands, len(changes), deadline_s)


def _expectation(value: bytes | None) -> bytes:
    return b"" if value is None else value or UNREADABLE


def _action(value: bytes | None) -> bytes:
    if value is None:
        return b"k"
    return b"s" if value else b"d"
