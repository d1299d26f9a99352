"""Watches choices that were acknowledged before they were durable, until they are.

A choice that a failover lost is applied again, unless the person has made another since
(``targeting.recording.lost_choice``). The watch is in memory: it ends with the process, as the answer UNCONFIRMED
said.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from server.choices.choice_store import ChoiceStore
from server.errors import note
from server.metrics.metrics import Metrics
from server.store.ports import StoreError
from targeting.model import Subject
from targeting.recording.choice import read_current_choice
from targeting.recording.lost_choice import includes, restore
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import Preference, encode_preference
from targeting.records.stored_records import StoredRecords

_EVERY_S = 1.0
_MAX_READ_TOGETHER = 256


class _Tracked(NamedTuple):
    """A choice as it was stored, and since when it has been waiting (``time.monotonic``)."""

    preference: Preference
    since_s: float


class ReplicationWatch:
    """Takes choices from any thread and checks them on its own, which lives from ``start`` to ``close``.

    Tracks the latest choice of each subject, for at most ``capacity`` subjects; beyond that it drops the oldest.
    """

    def __init__(
        self, choices: ChoiceStore, metrics: Metrics, *, every_s: float = _EVERY_S, capacity: int = 10_000
    ) -> None:
        self._choices = choices
        self._metrics = metrics
        self._every_s = every_s
        self._capacity = capacity
        self._tracked: dict[Subject, _Tracked] = {}
        self._lock = threading.Lock()
        self.can_confirm: Callable[[], bool] = lambda: True
        """Whether the store could ever confirm a choice; where it cannot, none counts as waiting for it."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replication-watch", daemon=True)

    def start(self) -> None:
        """Start checking."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the current check."""
        self._stopping.set()
        self._thread.join()

    def track(self, subject: Subject, stored: Preference) -> None:
        """Track the latest choice of a record that was stored but is not yet confirmed."""
        with self._lock:
            earlier = self._tracked.get(subject)
            if earlier is not None and includes(earlier.preference, stored):
                # Two threads may hand over one person's choices in the opposite order.
                return
            self._tracked[subject] = _Tracked(stored, earlier.since_s if earlier else time.monotonic())
            while len(self._tracked) > self._capacity:
                del self._tracked[next(iter(self._tracked))]
                self._metrics.count_store_error("unconfirmed", "full")

    def check(self) -> None:
        """Check all choices once: apply again what was lost, then drop what is durable by now."""
        try:
            self._restore_lost()
            self._confirm_all()
        except StoreError:
            self._metrics.count_store_error("unconfirmed", "unavailable")
        oldest = next(iter(self._all()), None) if self.can_confirm() else None
        self._metrics.unconfirmed_age.set(time.monotonic() - oldest[1].since_s if oldest else 0)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self.check()
            except Exception as problem:  # noqa: BLE001  # the watch outlives a fault of ours
                note(problem)
                self._metrics.count_store_error("unconfirmed", "internal")

    def _all(self) -> list[tuple[Subject, _Tracked]]:
        with self._lock:
            return list(self._tracked.items())

    def _restore_lost(self) -> None:
        for subject, choice in self._missing(self._all()):
            self._update(subject, choice, waits=False)

    def _confirm_all(self) -> None:
        """Wait for the youngest: what the server wrote before is confirmed with it, if it is there afterwards."""
        tracked = self._all()
        if not tracked or not self._update(*tracked[-1], waits=True):
            return
        missing = {subject for subject, _ in self._missing(tracked[:-1])}
        with self._lock:
            for subject, choice in tracked:
                if subject not in missing and self._tracked.get(subject) is choice:
                    del self._tracked[subject]

    def _missing(self, tracked: Sequence[tuple[Subject, _Tracked]]) -> list[tuple[Subject, _Tracked]]:
        """Return those that the store has lost."""
        missing = []
        for start in range(0, len(tracked), _MAX_READ_TOGETHER):
            batch = tracked[start : start + _MAX_READ_TOGETHER]
            stored = self._choices.store.read([subject for subject, _ in batch], self._choices.budget_s)
            for (subject, choice), records in zip(batch, stored, strict=True):
                # Equal bytes mean that nothing was lost; most records need no decoding.
                is_same = records.preference == encode_preference(choice.preference, records.owner)
                if not is_same and _is_lost(choice.preference, records):
                    missing.append((subject, choice))
        return missing

    def _update(self, subject: Subject, choice: _Tracked, *, waits: bool) -> bool:
        """Make sure that the store holds the choice; return whether tracking may end."""
        try:
            receipt = self._choices.update(subject, lambda current, _: restore(current, choice.preference), waits=waits)
        except RecordUnreadable:
            # An unreadable record limits as it is.
            return True
        return receipt is None or receipt.confirmed


def _is_lost(acknowledged: Preference, stored: StoredRecords) -> bool:
    """Whether a choice is to be applied again: it is not included, and no later one, perhaps made elsewhere, stands."""
    try:
        current = read_current_choice(stored, replaces_unreadable=False).preference
    except RecordUnreadable:
        # An unreadable record limits as it is.
        return False
    return restore(current, acknowledged) not in (None, current)
