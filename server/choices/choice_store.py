"""Storing a choice: read, decide, compare and set, wait until it is safe.

Invariant: a choice lands only upon the records it was derived from, together with what the policy makes of the
profile, or not at all.
"""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar, overload

from server.choices.retry import read_with_retry
from server.errors import NotAllowed
from server.store.ports import Change, Committed, RecordStore, StoreUnavailable
from targeting.decision import Rulebook
from targeting.model import Subject
from targeting.recording.choice import erases
from targeting.records.envelope import RecordNewer, RecordUnreadable
from targeting.records.preference import Choice, Preference, decode_preference, encode_preference
from targeting.records.stored_records import StoredRecords

_ERASED = b""


T_co = TypeVar("T_co", covariant=True)


class Choosing(Protocol[T_co]):
    """Makes the next record of the one that is held and its owner's pseudonym."""

    def __call__(self, held: Preference, owner: bytes, /) -> T_co:
        """Give the next record."""
        ...


class ChoiceReceipt(NamedTuple):
    """A choice that is stored, and whether it is as safe as the settings ask for."""

    preference: Preference
    confirmed: bool
    replicas: int


class ChoiceStore(NamedTuple):
    """Stores choices; for the one thread that owns the store's connection. ``budget_s`` is for each update."""

    store: RecordStore
    rulebook: Callable[[], Rulebook]
    replicas: int = 0
    needs_disk: bool = False
    budget_s: float = 0.5
    now: Callable[[], float] = time.time

    @overload
    def update(
        self, subject: Subject, after: Choosing[Preference], *, waits: bool = ..., replaces_unreadable: bool = ...
    ) -> ChoiceReceipt: ...

    @overload
    def update(
        self,
        subject: Subject,
        after: Choosing[Preference | None],
        *,
        waits: bool = ...,
        replaces_unreadable: bool = ...,
    ) -> ChoiceReceipt | None: ...

    def update(
        self,
        subject: Subject,
        after: Choosing[Preference | None],
        *,
        waits: bool = True,
        replaces_unreadable: bool = False,
    ) -> ChoiceReceipt | None:
        """Store what ``after`` makes of the record and its owner's pseudonym; None from it changes nothing.

        Raises ``StoreError``, ``RecordUnreadable`` for a record that only the person may replace, and ``NotAllowed``
        for an opt-in upon the record of a newer version.
        """
        for held, left_s in read_with_retry(self.store, subject, self.budget_s):
            current, is_newer = _current(held, replaces_unreadable=replaces_unreadable)
            preference = after(current, held.owner)
            if preference is None:
                return None
            if is_newer and preference.choice is not Choice.OPT_OUT:
                # It may hold what must not be lost, as the birth date of a child.
                raise NotAllowed("a newer version has written the stored choice; only an opt-out may replace it")
            change = Change(subject, held, preference=encode_preference(preference, held.owner))
            if erases(preference, self.rulebook().policy, self.now()):
                change = change._replace(profile=_ERASED, seen=_ERASED)
            committed = self._commit(change, left_s, waits=waits)
            if committed.landed:
                return ChoiceReceipt(preference, self._confirms(committed), committed.replicas)
        raise StoreUnavailable("the subject's records kept changing")

    def _commit(self, change: Change, budget_s: float, *, waits: bool) -> Committed:
        if waits:
            return self.store.commit_durably(change, self.replicas, budget_s)
        return self.store.commit([change], budget_s)[0]

    def _confirms(self, committed: Committed) -> bool:
        return committed.replicas >= self.replicas and (committed.on_disk or not self.needs_disk)


def _current(held: StoredRecords, *, replaces_unreadable: bool) -> tuple[Preference, bool]:
    """Give the record, and whether it is one that a newer version has written."""
    if held.preference is None:
        return Preference(), False
    try:
        return decode_preference(held.preference, held.owner), False
    except RecordUnreadable as problem:
        if not replaces_unreadable:
            raise
        # An explicit choice is the one thing that may replace a record that nobody can read.
        return Preference(), isinstance(problem, RecordNewer)
