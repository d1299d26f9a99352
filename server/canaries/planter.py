"""Keeps the records of canaries as they are meant to be, in the store that the service uses.

Several services may share a store: each writes only upon what it has read, and agrees with the others on what is
wanted. The guards of the store hold for canaries as for people, so nothing is written to a store that is not trusted.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from server.store.ports import RecordChange, RecordStore
from targeting.canaries.ids import CanaryIds
from targeting.canaries.people import CANARIES, Canary, Stored
from targeting.canaries.records import Values, next_values
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords

_LIFE_S: Final = 10 * 365 * 86_400
"""How long a profile lasts: that of a person who opted out could not be written again without lifting the choice."""
_BUDGET_S: Final = 0.5
_MOST_STEPS: Final = 4

Planted = Mapping[Canary, Sequence[StoredRecords]]
"""The canaries of whom the store has what it is meant to have, each with its records as the store holds them."""


class _Wanted(NamedTuple):
    canary: Canary
    subject: Subject
    stored: Stored


class Planter:
    """Writes through one store, on one thread."""

    def __init__(self, store: RecordStore, ids: CanaryIds, now: Callable[[], float]) -> None:
        self._store = store
        self._ids = ids
        self._now = now
        self._wanted = [_Wanted(canary, *each) for canary in CANARIES for each in canary.subjects(ids)]

    def tend(self) -> Planted:
        """Write what is missing, and return the canaries that may be asked about. Raises ``StoreError``."""
        for _ in range(_MOST_STEPS):
            held = self._read()
            changes = [self._change(wanted, records, values) for wanted, records, values in self._missing(held)]
            if not any(change.preference or change.profile for change in changes):
                break
            self._store.commit([change for change in changes if change.preference or change.profile], _BUDGET_S)
        return self._planted(held)

    def look(self) -> Planted:
        """Return the canaries that may be asked about, and write nothing. Raises ``StoreError``."""
        return self._planted(self._read())

    def _read(self) -> list[StoredRecords]:
        return self._store.read([wanted.subject for wanted in self._wanted], _BUDGET_S)

    def _missing(self, held: Sequence[StoredRecords]) -> list[tuple[_Wanted, StoredRecords, Values]]:
        now_s = self._now()
        return [
            (wanted, records, values)
            for wanted, records in zip(self._wanted, held, strict=True)
            if (values := next_values(wanted.stored, records, self._ids.mark_of(wanted.canary.name), now_s)) is not None
        ]

    def _planted(self, held: Sequence[StoredRecords]) -> Planted:
        incomplete = {wanted.canary for wanted, _, _ in self._missing(held)}
        found: dict[Canary, list[StoredRecords]] = {}
        for wanted, records in zip(self._wanted, held, strict=True):
            if wanted.canary not in incomplete:
                found.setdefault(wanted.canary, []).append(records.held())
        return found

    @staticmethod
    def _change(wanted: _Wanted, records: StoredRecords, values: Values) -> RecordChange:
        return RecordChange(
            wanted.subject,
            records,
            preference=values.preference,
            profile=values.profile,
            profile_ttl_s=_LIFE_S,
            preference_ttl_s=values.preference_ttl_s,
        )
