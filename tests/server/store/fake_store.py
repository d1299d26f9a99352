"""An in-memory store that keeps both ports' promises, with switches for what can go wrong."""

import math
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from server.store.keys import Pseudonyms
from server.store.ports import Committed, RecordChange, StoreTimeout, StoreUnavailable, StoreUntrusted
from server.store.redis.commit import CHOICE_AT, MAX_VALUE_BYTES, UNREADABLE, check
from targeting.model import Subject
from targeting.records.preference import CHOICES_THAT_ALLOW
from targeting.records.stored_records import StoredRecords

PSEUDONYMS = Pseudonyms(b"a secret for tests")


class Kept(NamedTuple):
    """The values of one subject, and when (on the fake's clock) those that expire do."""

    preference: bytes | None = None
    profile: bytes | None = None
    seen: bytes | None = None
    profile_ends_s: float = 0
    seen_ends_s: float = 0
    preference_ends_s: float = math.inf


class FakeStore:
    """Both ports. Threads may share one. ``down`` and ``untrusted`` refuse all; ``slow_s`` delays every answer."""

    def __init__(self, pseudonyms: Pseudonyms = PSEUDONYMS) -> None:
        self.down = False
        self.untrusted = False
        self.slow_s = 0.0
        self.now_s = 0.0
        self._pseudonyms = pseudonyms
        self._kept: dict[bytes, Kept] = {}
        self._lock = threading.Lock()

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        return [records._replace(seen=None) for records in self.read(subjects, budget_s)]

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> None:
        """Send nothing: it has no descriptor to wait for."""

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        self._answer_within(budget_s)
        with self._lock:
            return [self._held(subject) for subject in subjects]

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        for change in changes:
            check(change, self._pseudonyms.owner(change.subject))
        self._answer_within(budget_s)
        with self._lock:
            return [self._committed(change) for change in changes]

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        committed = self.commit([change], budget_s)[0]
        return committed._replace(on_disk=committed.landed)

    def put(self, subject: Subject, **values: bytes | None) -> None:
        """Put raw values there, past every guard: records that were spoilt, or have gone."""
        owner = self._pseudonyms.owner(subject)
        with self._lock:
            self._kept[owner] = self._kept.get(owner, Kept())._replace(
                profile_ends_s=math.inf, seen_ends_s=math.inf, preference_ends_s=math.inf, **values
            )

    def spoil(self, subject: Subject, *fields: str) -> None:
        """Make values those of a wrong type."""
        self.put(subject, **dict.fromkeys(fields, UNREADABLE))

    def _answer_within(self, budget_s: float) -> None:
        if self.down:
            raise StoreUnavailable("the store is down")
        if self.untrusted:
            raise StoreUntrusted("the store is another")
        time.sleep(min(self.slow_s, max(budget_s, 0)))
        if budget_s <= self.slow_s:
            raise StoreTimeout("the store did not answer in time")

    def _held(self, subject: Subject) -> StoredRecords:
        owner = self._pseudonyms.owner(subject)
        kept = self._kept.get(owner, Kept())
        return StoredRecords(
            subject.kind,
            owner,
            _readable(kept.preference) if kept.preference_ends_s > self.now_s else None,
            _readable(kept.profile) if kept.profile_ends_s > self.now_s else None,
            _readable(kept.seen) if kept.seen_ends_s > self.now_s else None,
        )

    def _committed(self, change: RecordChange) -> Committed:
        before = self._held(change.subject)
        if not self._land(change):
            return Committed(landed=False)
        removed = sum(new == b"" and old is not None for old, new in zip(before[2:5], change[2:5], strict=True))
        return Committed(landed=True, removed=removed)

    def _preference_ends_s(self, change: RecordChange) -> float:
        return self.now_s + change.preference_ttl_s if change.preference_ttl_s else math.inf

    def _land(self, change: RecordChange) -> bool:
        before = self._held(change.subject)
        expected = change.expected
        if not _same(before.preference, expected.preference):
            return False
        for subject, preference in change.linked:
            held = self._held(subject)
            if not _same(held.preference, preference) or (preference is None and held.profile is not None):
                return False
        if (change.profile or change.seen) and not _same(before.profile, expected.profile):
            return False
        preference, profile, seen = (
            old if new is None else new or None for old, new in zip(before[2:5], change[2:5], strict=True)
        )
        if (change.profile or change.seen) and not (_allows(before.preference, absent=True) and _allows(preference)):
            return False
        if change.preference == b"" and (profile is not None or not _allows(before.preference, absent=True)):
            return False
        kept = self._kept.get(before.owner, Kept())
        self._kept[before.owner] = Kept(
            preference,
            profile,
            seen,
            self.now_s + change.profile_ttl_s if change.profile else kept.profile_ends_s,
            self.now_s + change.seen_ttl_s if change.seen else kept.seen_ends_s,
            self._preference_ends_s(change) if change.preference is not None else kept.preference_ends_s,
        )
        return True


def _readable(value: bytes | None) -> bytes | None:
    """Return what the store hands out: nothing of what is no value of ours."""
    return UNREADABLE if value is not None and not 0 < len(value) <= MAX_VALUE_BYTES else value


def _same(held: bytes | None, expected: bytes | None) -> bool:
    """An empty value is no record, and no absence either."""
    return held == expected or {held, expected} == {b"", UNREADABLE}


def _allows(preference: bytes | None, *, absent: bool = False) -> bool:
    if preference is None:
        return absent
    return len(preference) > CHOICE_AT and preference[CHOICE_AT] in CHOICES_THAT_ALLOW
