"""Committing changes: the script beside this file, and its arguments.

Invariants, held by the server in one step: a change lands only upon the values it was made from; nothing is
recorded of a person whose stored choice forbids it; no profile is left without a preference.
"""

from collections.abc import Sequence

from server.store.keys import seen_key
from server.store.ports import Committed, RecordChange
from server.store.redis.connection import Connection, Reply
from server.store.redis.errors import ErrorReply, no_redis, store_error
from server.store.redis.script import Script
from targeting.records.envelope import PREFIX
from targeting.records.preference import CHOICES_THAT_ALLOW

UNREADABLE = b"\0"
"""Stands for a value that is no string in Redis, empty or too large. No record looks like it, so the core cannot
read it."""

MAX_VALUE_BYTES = 65_536
"""A larger value is not one of ours, and is treated as unreadable without being read."""

CHOICE_AT = PREFIX.size
"""Where the choice stands in a preference record: its body's first byte."""

_SCRIPT = Script("commit.lua")
_GUARD = (b"%d" % (CHOICE_AT + 1), bytes(sorted(CHOICES_THAT_ALLOW)))


def check(change: RecordChange, owner: bytes) -> None:
    """Raise ``ValueError`` for a change that no caller may make."""
    if change.expected.owner != owner:
        raise ValueError("the change was made from a reading of another subject")
    if (change.profile and change.profile_ttl_s <= 0) or (change.seen and change.seen_ttl_s <= 0):
        raise ValueError("a profile and its deduplication record expire: set profile_ttl_s and seen_ttl_s")


def arguments(
    change: RecordChange, preference_key: bytes, profile_key: bytes, linked_keys: Sequence[bytes] = ()
) -> tuple[bytes, ...]:
    """Return the number of the script's keys, the keys and the arguments for a change.

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
        b"%d" % change.preference_ttl_s,
        b"%d" % MAX_VALUE_BYTES,
        *(_expectation(preference) for _, preference in change.linked),
    )


def apply(connection: Connection, changes: Sequence[tuple[bytes, ...]], deadline_s: float) -> list[Committed]:
    """Apply changes, given as the script's arguments, and return the result of each. Raises ``StoreError``."""
    replies = _SCRIPT.run(connection, changes, deadline_s)
    with connection.decoding():
        return [committed_of(connection.accept(reply)) for reply in replies]


def packed_by_digest(call: tuple[bytes, ...]) -> bytes:
    """Return the command that runs the script with these arguments, on a server that has it."""
    return _SCRIPT.packed([call])


def packed_whole(call: tuple[bytes, ...]) -> bytes:
    """Return the command that runs the script with these arguments, and brings it along."""
    return _SCRIPT.packed_whole(call)


def committed_of(answer: Reply) -> Committed:
    """Return the result that the script answered. Raises ``StoreError`` for an error reply, or any other."""
    if isinstance(answer, ErrorReply):
        raise store_error(answer)
    if not isinstance(answer, int) or answer < 0:
        raise no_redis()
    return Committed(landed=True, removed=answer - 1) if answer else Committed(landed=False)


def _expectation(value: bytes | None) -> bytes:
    return b"" if value is None else value or UNREADABLE


def _action(value: bytes | None) -> bytes:
    if value is None:
        return b"k"
    return b"s" if value else b"d"
