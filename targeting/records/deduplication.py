"""Which activities of a subject were recorded in the last day, so that a repeat is known as one.

Stored form: the keys, eight bytes each, then their times; the oldest first. A key is a hash of the caller's activity
id, bound to the owner: it says nothing of the id, and nothing of what was done. This module knows no profile.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from targeting.records.envelope import RecordUnreadable, seal, unseal

KEPT_S = 86_400
"""How long a repeat is known as one, in seconds."""
MOST = 4096
"""How many activities are remembered; of more in one day the oldest are forgotten."""

_MAGIC = b"aS"
_SCHEMA = 1
_KEY_BYTES = 8
_TIME_BYTES = 4


class SeenActivities(NamedTuple):
    """Keys of activities and when they were recorded (Unix seconds, packed, ascending)."""

    keys: bytes = b""
    times: bytes = b""

    def holds(self, key: bytes) -> bool:
        """Tell whether this key was remembered."""
        at = self.keys.find(key)
        while at % _KEY_BYTES and at >= 0:
            at = self.keys.find(key, at + 1)
        return at >= 0

    def fresh(self, now_s: int) -> "SeenActivities":
        """Give what is to be remembered still."""
        times = np.frombuffer(self.times, "<u4")
        return self._without(int(times.searchsorted(max(now_s - KEPT_S, 0), "right")))

    def remembering(self, key: bytes, now_s: int) -> "SeenActivities":
        """Give what is remembered after this key was recorded now."""
        # A clock that was set back must not disturb the order.
        recorded_s = max(now_s, int.from_bytes(self.times[-_TIME_BYTES:], "little"))
        after = SeenActivities(self.keys + key, self.times + recorded_s.to_bytes(_TIME_BYTES, "little"))
        return after._without(max(len(after.keys) // _KEY_BYTES - MOST, 0))

    def _without(self, count: int) -> "SeenActivities":
        return SeenActivities(self.keys[count * _KEY_BYTES :], self.times[count * _TIME_BYTES :]) if count else self


NOTHING_SEEN = SeenActivities()


def activity_key(activity_id: str, owner: bytes) -> bytes:
    """Give the eight bytes by which an activity of this owner (16-byte pseudonym) is known again."""
    return hashlib.blake2b(activity_id.encode(), digest_size=_KEY_BYTES, key=owner).digest()


def encode_seen(seen: SeenActivities, owner: bytes) -> bytes:
    """Give the stored form, bound to the owner's 16-byte pseudonym."""
    return seal(_MAGIC, _SCHEMA, owner, seen.keys + seen.times)


def decode_seen(value: bytes, owner: bytes) -> SeenActivities:
    """Read the stored form. Raises ``RecordUnreadable``."""
    body = unseal(value, _MAGIC, _SCHEMA, owner)
    count, rest = divmod(len(body), _KEY_BYTES + _TIME_BYTES)
    if rest:
        raise RecordUnreadable("the record is truncated")
    return SeenActivities(body[: count * _KEY_BYTES], body[count * _KEY_BYTES :])
