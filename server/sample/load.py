"""Writes the sample population into a store.

Invariant: existing records stay unchanged. Each record is committed on the condition that nothing is stored about its
subject, so a choice made in the meantime, or by an earlier load, stays.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from typing import NamedTuple

from server.sample.person import Person
from server.sample.records import Records, records
from server.store.keys import Pseudonyms
from server.store.ports import RecordChange, RecordStore
from targeting.records.preference import Preference, encode_preference
from targeting.records.profile import write_profile
from targeting.records.stored_records import StoredRecords

_BATCH = 50
"""A server answers no other client while it works on a batch, so a small batch keeps decisions quick."""
_BUDGET_S = 30.0
_DAY_S = 86_400


class Progress(NamedTuple):
    """The result of one batch: ``left_alone`` subjects existed before."""

    people: int
    written: int
    left_alone: int


class Loader:
    """Loads people into one store, under the pseudonyms that the service uses.

    ``stores`` are connections, each used by one thread at a time. Several are faster, because a store that syncs before
    each answer syncs once for all commands that arrive together.
    """

    def __init__(self, stores: Sequence[RecordStore], pseudonyms: Pseudonyms, retention_days: int) -> None:
        self._writers = len(stores)
        self._idle: SimpleQueue[RecordStore] = SimpleQueue()
        for store in stores:
            self._idle.put(store)
        self._pseudonyms = pseudonyms
        self._ttl_s = retention_days * _DAY_S

    def load(self, people: Iterable[Person], now_s: int) -> Iterator[Progress]:
        """Write people batch by batch and yield the progress of each. Raises ``StoreError``."""
        rest, under_way = iter(people), deque[Future[Progress]]()
        with ThreadPoolExecutor(self._writers) as writers:
            while batch := list(islice(rest, _BATCH)):
                under_way.append(writers.submit(self._write, batch, now_s))
                if len(under_way) > self._writers:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()

    def _write(self, batch: Sequence[Person], now_s: int) -> Progress:
        """Write the records of people, each followed by its later opt-out, which lands only upon the new record."""
        wanted = [each for person in batch for each in records(person, now_s)]
        changes = [self._first(each) for each in wanted]
        store = self._idle.get()
        try:
            opt_outs = [
                _opt_out(change, each.opt_out) for change, each in zip(changes, wanted, strict=True) if each.opt_out
            ]
            committed = store.commit([*changes, *opt_outs], _BUDGET_S)
            landed = [each.landed for each in committed[: len(changes)]]
        finally:
            self._idle.put(store)
        return Progress(len(batch), sum(landed), len(landed) - sum(landed))

    def _first(self, wanted: Records) -> RecordChange:
        owner = self._pseudonyms.owner(wanted.subject)
        return RecordChange(
            wanted.subject,
            StoredRecords(wanted.subject.kind, owner),
            preference=encode_preference(wanted.preference, owner),
            profile=None if wanted.profile is None else write_profile(wanted.profile, owner),
            profile_ttl_s=self._ttl_s,
        )


def _opt_out(before: RecordChange, preference: Preference) -> RecordChange:
    owner = before.expected.owner
    return RecordChange(
        before.subject,
        before.expected._replace(preference=before.preference, profile=before.profile),
        preference=encode_preference(preference, owner),
    )
