"""Writes the sample population into a store.

Invariant: nothing that is there is touched. Each record is committed upon the expectation that nothing is held of its
subject, so a choice that somebody made meanwhile, or in an earlier load, stays.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from server.sample.person import Person
from server.sample.records import Records, records
from server.store.keys import Pseudonyms
from server.store.ports import Change, Held, RecordStore
from targeting.preference import Preference, encode_preference
from targeting.profile import write_profile

_BATCH = 500
_BUDGET_S = 30.0
_DAY_S = 86_400


class Progress(NamedTuple):
    """What became of one batch."""

    people: int
    written: int
    left_alone: int


class Loader:
    """Loads people into one store, under the pseudonyms that the service uses."""

    def __init__(self, store: RecordStore, pseudonyms: Pseudonyms, retention_days: int) -> None:
        self._store = store
        self._pseudonyms = pseudonyms
        self._ttl_s = retention_days * _DAY_S

    def load(self, people: Iterable[Person], now_s: int) -> Iterator[Progress]:
        """Write people batch by batch, telling of each. Raises ``StoreError``."""
        rest = iter(people)
        while batch := list(islice(rest, _BATCH)):
            landed = self._write([each for person in batch for each in records(person, now_s)])
            yield Progress(len(batch), sum(landed), len(landed) - sum(landed))

    def _write(self, wanted: Sequence[Records]) -> list[bool]:
        """Write records, then the opt-outs that came after them; tell which records were new."""
        changes = [self._first(each) for each in wanted]
        landed = [each.landed for each in self._store.commit(changes, _BUDGET_S)]
        opt_outs = [
            _opt_out(change, each.opt_out)
            for change, each, new in zip(changes, wanted, landed, strict=True)
            if new and each.opt_out
        ]
        self._store.commit(opt_outs, _BUDGET_S)
        return landed

    def _first(self, wanted: Records) -> Change:
        owner = self._pseudonyms.owner(wanted.subject)
        return Change(
            wanted.subject,
            Held(owner),
            preference=encode_preference(wanted.preference, owner),
            profile=None if wanted.profile is None else write_profile(wanted.profile, owner),
            profile_ttl_s=self._ttl_s,
        )


def _opt_out(before: Change, preference: Preference) -> Change:
    owner = before.expected.owner
    return Change(
        before.subject,
        Held(owner, before.preference, before.profile),
        preference=encode_preference(preference, owner),
    )
