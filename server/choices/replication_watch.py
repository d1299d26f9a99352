"""Choices that were acknowledged before they were safe, watched until they are.

After a failover that lost one it is applied again, unless the person has chosen anew since. The watch is held in
memory: it ends with the process, as the answer UNCONFIRMED warned.
"""

import threading
import time
from typing import NamedTuple

from server.choices.choice_store import ChoiceStore
from server.errors import note
from server.metrics.metrics import Metrics
from server.store.ports import StoreError
from targeting.model import Subject
from targeting.recording.choice import ChoiceMade, apply_choice, made_before
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import Choice, Preference, encode_preference

_EVERY_S = 1.0
_AT_ONCE = 256


class _Watched(NamedTuple):
    """A choice, as it was stored, and since when it waits (``time.monotonic``)."""

    preference: Preference
    since_s: float


class ReplicationWatch:
    """Takes choices from any thread, and watches on one of its own, which lives from ``start`` to ``close``.

    Of a subject the latest choice is watched, of all subjects at most ``room``: of more, the oldest are let go.
    """

    def __init__(
        self, choices: ChoiceStore, metrics: Metrics, *, every_s: float = _EVERY_S, room: int = 10_000
    ) -> None:
        self._choices = choices
        self._metrics = metrics
        self._every_s = every_s
        self._room = room
        self._watched: dict[Subject, _Watched] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="unconfirmed", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """End the watch after the look at hand."""
        self._stopping.set()
        self._thread.join()

    def watch(self, subject: Subject, stored: Preference) -> None:
        """Watch the latest choice of a record that was stored but is not yet confirmed."""
        with self._lock:
            earlier = self._watched.get(subject)
            if earlier is not None and _holds(earlier.preference, stored):
                # Two threads may hand over one person's choices in the other order.
                return
            self._watched[subject] = _Watched(stored, earlier.since_s if earlier else time.monotonic())
            while len(self._watched) > self._room:
                del self._watched[next(iter(self._watched))]
                self._metrics.count_store_error("unconfirmed", "full")

    def look(self) -> None:
        """Look after all once: apply again what was lost, then confirm, the oldest first, what is safe by now."""
        try:
            self._restore_lost()
            self._confirm_oldest()
        except StoreError:
            self._metrics.count_store_error("unconfirmed", "unavailable")
        oldest = next(iter(self._all()), None)
        self._metrics.unconfirmed_age.set(time.monotonic() - oldest[1].since_s if oldest else 0)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self.look()
            except Exception as problem:  # noqa: BLE001  # the watch outlives a fault of ours
                note(problem)
                self._metrics.count_store_error("unconfirmed", "internal")

    def _all(self) -> list[tuple[Subject, _Watched]]:
        with self._lock:
            return list(self._watched.items())

    def _restore_lost(self) -> None:
        everyone = self._all()
        for start in range(0, len(everyone), _AT_ONCE):
            batch = everyone[start : start + _AT_ONCE]
            held = self._choices.store.read([subject for subject, _ in batch], self._choices.budget_s)
            for (subject, watched), records in zip(batch, held, strict=True):
                # Whether it is as it was stored is seen without a look inside.
                if records.preference != encode_preference(watched.preference, records.owner):
                    self._update(subject, watched, waits=False)

    def _confirm_oldest(self) -> None:
        """While one is not confirmed yet, the younger ones are not either."""
        for subject, watched in self._all():
            if not self._update(subject, watched, waits=True):
                return
            with self._lock:
                if self._watched.get(subject) is watched:
                    del self._watched[subject]

    def _update(self, subject: Subject, watched: _Watched, *, waits: bool) -> bool:
        """See to it that the store holds the choice; tell whether it need not be watched any longer."""
        try:
            stored = self._choices.update(subject, lambda held, _: _after(held, watched.preference), waits=waits)
        except RecordUnreadable:
            # It limits as it is.
            return True
        return stored is None or stored.confirmed


def _holds(record: Preference, earlier: Preference) -> bool:
    """Tell whether a record holds the latest change of another, and so came after it, or is the same."""
    return not earlier.history or made_before(record, earlier.history[0].change_key) is not None


def _after(held: Preference, lost: Preference) -> Preference | None:
    """Give the record as it is when it holds the choice, with the choice when not; None when it chose anew since."""
    change = lost.history[0]
    if _holds(held, lost):
        return held
    # What the lost record was made from is older, whatever the clocks say. Of another the clock tells, which is not
    # trusted so far as to lift an opt-out.
    lifts = (held.choice, change.choice) == (Choice.OPT_OUT, Choice.OPT_IN)
    if not _holds(lost, held) and (lifts or held.changed_at_ms > change.changed_at_ms):
        return None
    return apply_choice(
        held,
        ChoiceMade(
            choice=change.choice,
            source=change.source,
            change_key=change.change_key,
            made_at_ms=change.changed_at_ms,
            country=lost.country,
            language=lost.language,
            birth_day=lost.birth_day,
        ),
    )
