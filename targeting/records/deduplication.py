"""Which activities of a subject were recorded in the last day, so that a repeat is recognised.

Stored form: the keys, eight bytes each, then their times; the oldest first. A key is a hash bound to the owner: it
reveals neither the caller's activity id nor what was done. This module knows no profile.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from targeting.records.envelope import RecordUnreadable, seal, unseal

KEPT_S = 86_400
"""How long a repeat is recognised, in seconds."""
MAX_REMEMBERED = 4096
"""How many activities are remembered; beyond that in one day, the oldest are forgotten."""

_MAGIC = b"aS"
_SCHEMA = 1
_KEY_BYTES = 8
_TIME_BYTES = 4


class SeenActivities(NamedTuple):
    """Keys of activities and when they were recorded (Unix seconds, packed, ascending)."""

    keys: bytes = b""
    times: bytes = b""

    def holds(self, key: bytes) -> bool:
        """Whether this key is remembered."""
        index = self.keys.find(key)
        while index % _KEY_BYTES and index >= 0:
            index = self.keys.find(key, index + 1)
        return index >= 0

    def fresh(self, now_s: int) -> "SeenActivities":
        """Return the keys that are still to be remembered."""
        times = np.frombuffer(self.times, "<u4")
        return self._without(int(times.searchsorted(max(now_s - KEPT_S, 0), "right")))

    def remembering(self, key: bytes, now_s: int) -> "SeenActivities":
        """Return what is remembered after this key was recorded at a time (Unix seconds)."""
        # Times stay ascending even if the clock was set back.
        recorded_s = max(now_s, int.from_bytes(self.times[-_TIME_BYTES:], "little"))
        after = SeenActivities(self.keys + key, self.times + recorded_s.to_bytes(_TIME_BYTES, "little"))
        return after._without(max(len(after.keys) // _KEY_BYTES - MAX_REMEMBERED, 0))

    def _without(self, count: int) -> "SeenActivities":
        return SeenActivities(self.keys[count * _KEY_BYTES :], self.times[count * _TIME_BYTES :]) if count else self


NOTHING_SEEN = SeenActivities()


def activity_key(activity_id: str, kind: int, ad_id: str, owner: bytes) -> bytes:
    """Return the eight bytes that identify an event: an id, of this kind, ad and owner (16-byte pseudonym).

    One auction's id may stand for the impression and the click; what else an activity says makes no other event.
    """
    ad = ad_id.encode()
    text = bytes((kind, len(ad))) + ad + activity_id.encode()
    return hashlib.blake2b(text, digest_size=_KEY_BYTES, key=owner).digest()


def encode_seen(seen: SeenActivities, owner: bytes) -> bytes:
    """Return the stored form, bound to the owner's 16-byte pseudonym."""
    return seal(_MAGIC, _SCHEMA, owner, seen.keys + seen.times)


def decode_seen(value: bytes, owner: bytes) -> SeenActivities:
    """Read the stored form. Raises ``RecordUnreadable``."""
    body = unseal(value, _MAGIC, _SCHEMA, owner)
    count, rest = divmod(len(body), _KEY_BYTES + _TIME_BYTES)
    if rest:
        raise RecordUnreadable("the record is truncated")
    return SeenActivities(body[: count * _KEY_BYTES], body[count * _KEY_BYTES :])
