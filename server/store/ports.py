"""The narrow ports of the store: what the rest of the service may ask of it.

A fake and Redis pass one contract suite (``tests/contracts/test_store_contract.py``). Values are opaque bytes here;
``targeting.records`` knows what they mean.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from targeting.model import Subject
from targeting.records.stored_records import StoredRecords

RecordOperation = Literal["read", "commit", "commit_durably"]
"""The names of the operations of ``RecordStore``."""


class StoreError(Exception):
    """The store could not do what was asked. The message holds no key, no id and no value."""


class StoreTimeout(StoreError):
    """The store did not answer within the budget."""


class StoreUnavailable(StoreError):
    """The store is down, refuses, or is known to be down."""


class StoreUnreachable(StoreUnavailable):
    """No connection to the store can be made, or the one there was has ended."""


class PartUnavailable(StoreUnavailable):
    """A part of the store is unavailable, which says nothing about the rest."""


class StoreUntrusted(StoreError):
    """The store is not, or no longer, the one that the service wrote to: opt-outs may be missing."""


class RecordChange(NamedTuple):
    """New values of one subject, written all at once or not at all.

    None leaves a value as it is, ``b""`` removes it. The change lands only while the store still holds the
    preference of ``expected``, so no write can follow from a reading made before an opt-out; and, where it writes
    a profile or a deduplication record, the profile too, so no writer undoes another's work. It lands only while every
    subject of ``linked`` has the preference that is given with it, as the store holds it, and where that is None no
    profile either, so the opt-out of a device stops the account's write.
    """

    subject: Subject
    expected: StoredRecords
    preference: bytes | None = None
    profile: bytes | None = None
    seen: bytes | None = None
    profile_ttl_s: int = 0
    seen_ttl_s: int = 0
    preference_ttl_s: int = 0
    """Seconds until a new preference expires; 0: never."""
    linked: tuple[tuple[Subject, bytes | None], ...] = ()


class Committed(NamedTuple):
    """The result of a change: ``landed`` is False when the subject's values had changed since they were read.

    ``removed`` counts the values that were there and no longer are. ``promotable`` is how many replicas a failover
    could promote, as far as that is known: one that does not hold the change would lose it.
    """

    landed: bool
    replicas: int = 0
    on_disk: bool = False
    removed: int = 0
    promotable: int = 0


class Reading(Protocol):
    """A reading whose question has been sent, for a caller that does something else while it waits."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when something has come."""
        ...

    def collect(self, deadline_s: float) -> list[StoredRecords]:
        """Return the records by the deadline (``time.monotonic``); one that has passed takes what has come.

        Raises ``StoreTimeout``, after which it may be called again, and any other ``StoreError`` once.
        """
        ...

    def give_up(self) -> None:
        """Wait no longer, after ``StoreTimeout``."""
        ...


class DecisionStore(Protocol):
    """The store as decisions read it. It reads once at a time."""

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> Reading | None:
        """Send the question of ``fetch`` without waiting. Raises ``StoreError``.

        None where it cannot be sent without waiting: ``fetch`` then does it, on a thread that may wait.
        """
        ...

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read preference and profile of every subject, in order, in one round trip. Raises ``StoreError``."""
        ...


class RecordStore(Protocol):
    """The store as writers of preferences and profiles use it."""

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read everything of every subject, in order, in one round trip. Raises ``StoreError``."""
        ...

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        """Apply changes, each atomically, in one round trip, in order. Raises ``StoreError``.

        After an error a change may or may not have landed; repeating it from a fresh reading is safe.
        """
        ...

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        """Apply one change within the budget, then wait until replicas or the disk hold it. Raises ``StoreError``.

        The wait lasts ``confirm_s`` at most, and what is left of the budget without it. Running out of time then is
        not an error: the result says how safe the change is. With ``replicas`` at 0 the disk is waited for; else
        as many replicas, or all that a failover could promote if these are more.
        """
        ...
