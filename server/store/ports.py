"""The narrow ports of the store: what the rest of the service may ask of it.

A fake and Redis pass one contract suite (``tests/store/``). Values are opaque bytes here; what they mean is the
core's business (``targeting.records.preference``, ``targeting.records.profile``).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from targeting.model import Subject
from targeting.records.stored_records import StoredRecords


class StoreError(Exception):
    """The store could not do what was asked. The message holds no key, no id and no value."""


class StoreTimeout(StoreError):
    """The store did not answer within the budget."""


class StoreUnavailable(StoreError):
    """The store is down, refuses, or is known to be down."""


class Change(NamedTuple):
    """What is to become of one subject's values, all at once or not at all.

    None leaves a value as it is, ``b""`` removes it. The change lands only while the store still holds the
    preference of ``expected``, so no write can follow from a reading made before an opt-out; and, where it writes
    a profile or what was seen, the profile too, so no writer undoes another's work. It lands only while every subject
    of ``linked`` has the preference that is given with it, and where that is None no profile either, so the opt-out of
    a device stops the account's write.
    """

    subject: Subject
    expected: StoredRecords
    preference: bytes | None = None
    profile: bytes | None = None
    seen: bytes | None = None
    profile_ttl_s: int = 0
    seen_ttl_s: int = 0
    linked: tuple[tuple[Subject, bytes | None], ...] = ()


class Committed(NamedTuple):
    """What became of a change: ``landed`` is False when the subject's values had changed meanwhile.

    ``removed`` counts the values that were there and are no more.
    """

    landed: bool
    replicas: int = 0
    on_disk: bool = False
    removed: int = 0


class DecisionStore(Protocol):
    """What a decision reads."""

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read preference and profile of every subject, in order, in one round trip. Raises ``StoreError``."""
        ...


class RecordStore(Protocol):
    """What the writers of preferences and profiles use."""

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read everything of every subject, in order, in one round trip. Raises ``StoreError``."""
        ...

    def commit(self, changes: Sequence[Change], budget_s: float) -> list[Committed]:
        """Apply changes, each atomically, in one round trip, in order. Raises ``StoreError``.

        After an error a change may or may not have landed; repeating it from a fresh reading is safe.
        """
        ...

    def commit_durably(self, change: Change, replicas: int, budget_s: float) -> Committed:
        """Apply one change and wait, within the budget, until replicas (and the disk) hold it. Raises ``StoreError``.

        Running out of time while waiting for replicas is no error: the result says how many hold it.
        """
        ...
