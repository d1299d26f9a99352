"""Storing a choice: read, decide, compare and set, wait until it is durable.

Invariant: a choice lands only on the records that it was derived from, together with the erasure that the policy
demands, or not at all. Which choice wins is decided in ``targeting.recording``.
"""

import time
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeVar, overload

from server.choices.retry import read_with_retry
from server.errors import NotAllowed
from server.store.ports import Committed, RecordChange, RecordStore, StoreUnavailable
from targeting.decision import Rulebook
from targeting.model import Subject
from targeting.recording.choice import erases, read_current_choice
from targeting.records.preference import Preference, encode_preference
from targeting.records.stored_records import StoredRecords

CONFIRM_BUDGET_S = 2.5
"""A server that syncs its file every second confirms within two (``appendfsync everysec``)."""

_ERASED = b""

T_co = TypeVar("T_co", covariant=True)


class NextRecord(Protocol[T_co]):
    """Derives the next preference record from the current one and all that is stored of the subject."""

    def __call__(self, current: Preference, stored: StoredRecords, /) -> T_co:
        """Return the next record."""
        ...


class Confirmation(IntEnum):
    """What may be required to confirm a choice; numbered as in ``adtargeting.v1.Confirmation``."""

    DISK = 1
    REPLICAS = 2


class ChoiceReceipt(NamedTuple):
    """A stored choice, and what is missing until it is as durable as the settings ask for."""

    preference: Preference
    missing: tuple[Confirmation, ...]
    replicas: int

    @property
    def confirmed(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


class ChoiceStore(NamedTuple):
    """Stores choices, on the one thread that owns the store's connection. ``budget_s`` is for each update."""

    store: RecordStore
    rulebook: Callable[[], Rulebook]
    replicas: int = 0
    needs_disk: bool = False
    budget_s: float = 0.5
    now: Callable[[], float] = time.time
    confirm_budget_s: float = CONFIRM_BUDGET_S
    """How long an update may wait, once it is stored, until it is confirmed."""

    @overload
    def update(
        self,
        subject: Subject,
        next_record: NextRecord[Preference],
        *,
        waits: bool = ...,
        replaces_unreadable: bool = ...,
    ) -> ChoiceReceipt: ...

    @overload
    def update(
        self,
        subject: Subject,
        next_record: NextRecord[Preference | None],
        *,
        waits: bool = ...,
        replaces_unreadable: bool = ...,
    ) -> ChoiceReceipt | None: ...

    def update(
        self,
        subject: Subject,
        next_record: NextRecord[Preference | None],
        *,
        waits: bool = True,
        replaces_unreadable: bool = False,
    ) -> ChoiceReceipt | None:
        """Store the record that ``next_record`` derives; None changes nothing.

        Raises ``StoreError``, ``RecordUnreadable`` for a record that only the person may replace, and ``NotAllowed``
        for an opt-in on the record of a newer version.
        """
        for stored, left_s in read_with_retry(self.store, subject, self.budget_s):
            current = read_current_choice(stored, replaces_unreadable=replaces_unreadable)
            preference = next_record(current.preference, stored)
            if preference is None:
                return None
            if not current.may_become(preference):
                raise NotAllowed("a newer version has written the stored choice; only an opt-out may replace it")
            change = RecordChange(
                subject,
                stored,
                preference=encode_preference(preference, stored.owner),
                preference_ttl_s=self._seconds_to_live(preference),
            )
            if erases(preference, self.rulebook().policy, self.now()):
                change = change._replace(profile=_ERASED, seen=_ERASED)
            committed = self._commit(change, left_s, waits=waits)
            if committed.landed:
                return ChoiceReceipt(preference, tuple(self._missing(committed)), committed.replicas)
        raise StoreUnavailable("the subject's records kept changing")

    def _seconds_to_live(self, preference: Preference) -> int:
        return max(preference.expires_s - int(self.now()), 1) if preference.expires_s else 0

    def _commit(self, change: RecordChange, budget_s: float, *, waits: bool) -> Committed:
        if waits:
            return self.store.commit_durably(change, self.replicas, budget_s, self.confirm_budget_s)
        return self.store.commit([change], budget_s)[0]

    def _missing(self, committed: Committed) -> Iterator[Confirmation]:
        """Yield what is required and has not confirmed it; where no replica is required, the disk is."""
        if not committed.on_disk and (self.needs_disk or not self.replicas):
            yield Confirmation.DISK
        if self.replicas and committed.replicas < max(self.replicas, committed.promotable):
            yield Confirmation.REPLICAS
