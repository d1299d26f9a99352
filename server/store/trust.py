"""Whether the store is the one that this service has been writing to.

One per process, shared by its threads. Each batch that reads the store reads its record along, and ``check`` compares
them; ``settle`` decides what a record means. Invariant: once a record was missing or another, no batch passes until an
operator has accepted the store since (``adtargeting store trust``).
"""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from server.store.epoch_memory import EpochMemory
from server.store.identity import IdentityUnreadable, StoreIdentity
from server.store.ports import StoreUnavailable, StoreUntrusted

_LOG = logging.getLogger(__name__)
_REMEDY = "see `adtargeting store show`, then accept it with `adtargeting store trust` or restore the right one"
_EMPTIED = "its own record is gone: it was emptied, or is another store"
_UNKNOWN = "it has records but no record of its own"
_FORGOTTEN = "it is empty, and our secret key was used with a store of epoch {}: it was emptied, or is another store"
_EARLIER = "its record is older than that of the store our secret key was last used with: it is a backup, or another"
_CHANGED = "its epoch has changed: it was emptied, restored or replaced"


class IdentityStore(Protocol):
    """The part of a store that holds its record."""

    def read(self) -> bytes | None:
        """Return the record; None where there is none. Raises ``StoreError``."""
        ...

    def add(self, record: bytes) -> bytes:
        """Write the record unless there is one, and return the one that is there. Raises ``StoreError``."""
        ...

    def has_records(self) -> bool:
        """Whether any key under our prefix exists. Raises ``StoreError``."""
        ...

    def now_ms(self) -> int:
        """Return the server's time, milliseconds since 1970. Raises ``StoreError``."""
        ...


class StoreTrust:
    """The record that this process expects. ``adopts``: a store with records but without the record is our own.

    ``memory`` has the epoch that the key was last used with, so that neither a store that was emptied nor a backup of
    another one is trusted at the start.
    """

    def __init__(self, fingerprint: str, memory: EpochMemory | None = None, *, adopts: bool = False) -> None:
        self.fingerprint = fingerprint
        self.problem = ""
        """Why the store is not trusted; empty while it is, and before its record was read."""
        self.has_another_key = False
        """Whether the problem is that the store was written under another secret key."""
        self.on_change: Callable[[bool], None] = lambda _: None
        self._adopts = adopts
        self._memory = memory or EpochMemory()
        self._missing = _UNKNOWN
        """Why a store without a record is not trusted at the start."""
        self._expected: bytes | None = None
        """None before the first record was read; no batch passes then."""
        self._distrusted_since_ms = 0
        self._lock = threading.Lock()

    @property
    def trusted(self) -> bool:
        """Whether batches pass."""
        return self._expected is not None and not self.problem

    @property
    def epoch(self) -> str:
        """The epoch of the store that is expected; empty before its record was read."""
        return "" if self._expected is None else StoreIdentity.decode(self._expected).epoch

    def check(self, record: bytes | None) -> None:
        """Raise ``StoreUntrusted`` unless the store is trusted and this is its record."""
        if record is not None and record == self._expected and not self.problem:
            return
        if self._expected is None and not self.problem:
            raise StoreUnavailable("the store's record has not been read yet")
        with self._lock:
            if not self.problem:
                self._distrust(self._difference(record) or _CHANGED)
        raise StoreUntrusted(self.problem)

    def settle(self, store: IdentityStore) -> None:
        """Read the record, or make the one of a store without records. Raises ``StoreError``."""
        record = store.read()
        with self._lock:
            if record is None or record != self._expected or self.problem:
                self._decide(record, store)

    def _decide(self, record: bytes | None, store: IdentityStore) -> None:
        if record is None and self._expected is None and not self.problem:
            record = self._first_record(store)
        problem = self._difference(record)
        if record is not None and not problem and (self._is_first(record) or self._accepted_since(record)):
            self._trust(record)
            return
        self._distrust(problem or (_EARLIER if self._expected is None else _CHANGED))
        self._distrusted_since_ms = self._distrusted_since_ms or store.now_ms()

    def _first_record(self, store: IdentityStore) -> bytes | None:
        if store.has_records():
            if not self._adopts:
                return None
            _LOG.warning("store adopted: it has records, no record of its own, and our key lies beside it")
        elif self._memory.epoch:
            self._missing = _FORGOTTEN.format(self._memory.epoch)
            return None
        return store.add(StoreIdentity.make(self.fingerprint, store.now_ms()).encode())

    def _is_first(self, record: bytes) -> bool:
        """Whether this is the first record that is read, and not of an earlier store than the key was used with."""
        return self._expected is None and not self._memory.is_later_than(StoreIdentity.decode(record))

    def _accepted_since(self, record: bytes) -> bool:
        made_at_ms = StoreIdentity.decode(record).made_at_ms
        return bool(self._distrusted_since_ms) and made_at_ms >= self._distrusted_since_ms

    def _trust(self, record: bytes) -> None:
        if self.problem:
            _LOG.warning("store trusted: an operator has accepted it")
        self._expected, self.problem, self._distrusted_since_ms = record, "", 0
        self._memory.remember(StoreIdentity.decode(record))
        self.on_change(True)  # noqa: FBT003  # the callback's only argument

    def _distrust(self, problem: str) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        _LOG.error("store not trusted, serving LIMITED and recording nothing: %s; %s", problem, _REMEDY)
        self.on_change(False)  # noqa: FBT003  # the callback's only argument

    def _difference(self, record: bytes | None) -> str:
        """Return why a record cannot be that of our store; empty when it can."""
        self.has_another_key = False
        if record is None:
            return self._missing if self._expected is None else _EMPTIED
        try:
            identity = StoreIdentity.decode(record)
        except IdentityUnreadable as problem:
            return str(problem)
        self.has_another_key = identity.fingerprint != self.fingerprint
        if self.has_another_key:
            return f"it belongs to the secret key {identity.fingerprint}, ours is {self.fingerprint}"
        return ""
