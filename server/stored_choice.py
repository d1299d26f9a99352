"""Storing a choice: read, decide, compare and set, wait until it is safe.

Invariant: a choice lands only upon the records it was derived from, together with what the policy makes of the
profile, or not at all.
"""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar, overload

from server.store.ports import Change, Committed, Held, RecordStore, StoreUnavailable
from targeting.choice import erases
from targeting.decision import Rulebook
from targeting.model import Subject
from targeting.preference import Preference, decode_preference, encode_preference
from targeting.record import RecordUnreadable

_ATTEMPTS = 16
_ERASED = b""


T_co = TypeVar("T_co", covariant=True)


class Choosing(Protocol[T_co]):
    """Makes the next record of the one that is held and its owner's pseudonym."""

    def __call__(self, held: Preference, owner: bytes, /) -> T_co:
        """Give the next record."""
        ...


class StoredChoice(NamedTuple):
    """A choice that is stored, and whether it is as safe as the settings ask for."""

    preference: Preference
    confirmed: bool
    replicas: int


class ChoiceStore(NamedTuple):
    """Stores choices; for the one thread that owns the store's connection. ``budget_s`` is for each round trip."""

    store: RecordStore
    rulebook: Callable[[], Rulebook]
    replicas: int = 0
    needs_disk: bool = False
    budget_s: float = 0.5
    now: Callable[[], float] = time.time

    @overload
    def update(
        self, subject: Subject, after: Choosing[Preference], *, waits: bool = ..., replaces_unreadable: bool = ...
    ) -> StoredChoice: ...

    @overload
    def update(
        self,
        subject: Subject,
        after: Choosing[Preference | None],
        *,
        waits: bool = ...,
        replaces_unreadable: bool = ...,
    ) -> StoredChoice | None: ...

    def update(
        self,
        subject: Subject,
        after: Choosing[Preference | None],
        *,
        waits: bool = True,
        replaces_unreadable: bool = False,
    ) -> StoredChoice | None:
        """Store what ``after`` makes of the record and its owner's pseudonym; None from it changes nothing.

        Raises ``StoreError``, and ``RecordUnreadable`` for a record that only the person may replace.
        """
        for _ in range(_ATTEMPTS):
            held = self.store.read([subject], self.budget_s)[0]
            preference = after(_current(held, replaces_unreadable=replaces_unreadable), held.owner)
            if preference is None:
                return None
            change = Change(subject, held, preference=encode_preference(preference, held.owner))
            if erases(preference, self.rulebook().policy, self.now()):
                change = change._replace(profile=_ERASED, seen=_ERASED)
            committed = self._commit(change, waits=waits)
            if committed.landed:
                return StoredChoice(preference, self._confirms(committed), committed.replicas)
        raise StoreUnavailable("the subject's records kept changing")

    def _commit(self, change: Change, *, waits: bool) -> Committed:
        if waits:
            return self.store.commit_durably(change, self.replicas, self.budget_s)
        return self.store.commit([change], self.budget_s)[0]

    def _confirms(self, committed: Committed) -> bool:
        return committed.replicas >= self.replicas and (committed.on_disk or not self.needs_disk)


def _current(held: Held, *, replaces_unreadable: bool) -> Preference:
    if held.preference is None:
        return Preference()
    try:
        return decode_preference(held.preference, held.owner)
    except RecordUnreadable:
        if not replaces_unreadable:
            raise
        # An explicit choice is the one thing that may replace a record that nobody can read.
        return Preference()
