"""What a store holds of ours, counted for its operator. Reads every key under the prefix; no decision waits for it."""

from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from server.store.redis.connection import Connection, Reply, pack
from server.store.redis.scan import scan_keys
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import decode_preference

_KEYS_PER_STEP = 1000
_KINDS = {b"a": "accounts", b"d": "devices"}


Opening: TypeAlias = Callable[[bytes, bytes], bytes | None]


def as_it_is(value: bytes, _: bytes) -> bytes:
    """Return a value that is not sealed."""
    return value


class Inventory(NamedTuple):
    """How many records there are, and when the newest choice was made (milliseconds since 1970; 0: there is none)."""

    accounts: int = 0
    devices: int = 0
    profiles: int = 0
    unreadable: int = 0
    newest_choice_ms: int = 0
    left_out: int = 0
    """Keys that were left out: of leak canaries, who are no people."""

    @property
    def records(self) -> int:
        """How many preference records and profiles there are together."""
        return self.accounts + self.devices + self.profiles


def take_inventory(
    connection: Connection,
    prefix: bytes,
    deadline_s: float,
    opening: Opening = as_it_is,
    left_out: Collection[bytes] = (),
) -> Inventory:
    """Count everything under the prefix, but for the keys in ``left_out``. Raises ``StoreError``.

    ``opening`` turns a stored value into a record.
    """
    counts: Counter[str] = Counter()
    newest_ms = 0
    own = tuple(prefix + b":{" + kind + b":" for kind in _KINDS)
    for scanned in scan_keys(connection, prefix + b":{[ad]:*", _KEYS_PER_STEP, deadline_s):
        found = [key for key in scanned if key.startswith(own)]
        keys = [key for key in found if key not in left_out]
        counts["left_out"] += len(found) - len(keys)
        counts["profiles"] += sum(key.endswith(b":prof") for key in keys)
        preferences = [key for key in keys if key.endswith(b":pref")]
        counts.update(_KINDS[key[len(prefix) + 2 :][:1]] for key in preferences)
        for changed_at_ms in _changes(connection, preferences, deadline_s, opening):
            counts["unreadable"] += changed_at_ms is None
            newest_ms = max(newest_ms, changed_at_ms or 0)
    return Inventory(**counts, newest_choice_ms=newest_ms)


def add_inventories(inventories: Iterable[Inventory]) -> Inventory:
    """Return what several servers hold together."""
    total = Inventory()
    for each in inventories:
        total = Inventory(
            accounts=total.accounts + each.accounts,
            devices=total.devices + each.devices,
            profiles=total.profiles + each.profiles,
            unreadable=total.unreadable + each.unreadable,
            newest_choice_ms=max(total.newest_choice_ms, each.newest_choice_ms),
            left_out=total.left_out + each.left_out,
        )
    return total


def _changes(
    connection: Connection, keys: Sequence[bytes], deadline_s: float, opening: Opening
) -> Iterator[int | None]:
    """Yield when each record's choice was made; None for a record that cannot be read."""
    packed = b"".join(pack((b"GET", key)) for key in keys)
    values = connection.exchange(packed, len(keys), deadline_s) if keys else []
    for key, value in zip(keys, values, strict=True):
        if value is not None:
            yield _changed_at_ms(key, value, opening)


def _changed_at_ms(key: bytes, value: Reply, opening: Opening) -> int | None:
    if not isinstance(value, bytes):
        return None
    try:
        owner = _owner(key)
    except ValueError:
        # Another program's key that only looks like one of ours.
        return None
    try:
        return decode_preference(opening(value, owner) or b"", owner).changed_at_ms
    except RecordUnreadable:
        return None


def _owner(key: bytes) -> bytes:
    tag = key.partition(b"{")[2].partition(b"}")[0][2:]
    return urlsafe_b64decode(tag + b"==")
