"""Stores the opt-outs that signals make, off the path of the requests that show them.

A caller that enqueues a request never waits: a bounded queue and one thread stand between. Invariants: a subject is
written at most once a minute; a signal that cannot be stored yet is retried until it is; each caller has a limit of
new devices stored in one second. What a signal does to a stored choice is decided in
``targeting.recording.signal_opt_outs``.
"""

import math
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, Full, Queue

from server.choices.choice_store import ChoiceReceipt, ChoiceStore
from server.choices.new_device_rate import NewDeviceRate
from server.errors import note
from server.metrics.metrics import Metrics
from server.security.caller import client_name
from server.store.ports import StoreError
from targeting.model import AdRequest, Subject
from targeting.recording.signal_opt_outs import Sighting, is_new_device, opt_out_by_signal, sightings
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import Preference
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import Cookies

_IDLE_S = 0.25
_KEY_BYTES = 8


def ignore_signal_opt_out(_: AdRequest, __: Cookies) -> None:
    """Store nothing."""


class SignalOptOuts:
    """Takes requests from any thread and stores on its own, which lives from ``start`` to ``close``."""

    def __init__(
        self,
        choices: ChoiceStore,
        metrics: Metrics,
        on_unconfirmed: Callable[[Subject, Preference], None],
        *,
        capacity: int = 10_000,
        retry_after_s: float = 1.0,
        again_after_s: float = 60.0,
    ) -> None:
        self.on_stored: Callable[[Sighting], None] = lambda _: None
        """Called with each signal that became an opt-out."""
        self._choices = choices
        self._metrics = metrics
        self._on_unconfirmed = on_unconfirmed
        self._capacity = capacity
        self._retry_after_s = retry_after_s
        self._again_after_s = again_after_s
        self._queue: Queue[Sighting | None] = Queue(capacity)
        """What is to be stored. None stands for nothing: it wakes the thread."""
        self._enqueued_s: dict[Subject, float] = {}
        self._postponed: dict[Subject, Sighting] = {}
        self._check_postponed_s = 0.0
        self._new_devices = NewDeviceRate(time.monotonic)
        self._permitted: Sighting | None = None
        self._stopping = threading.Event()
        self._ends_s = math.inf
        self._thread = threading.Thread(target=self._run, name="signal-opt-outs", daemon=True)

    def start(self) -> None:
        """Start storing."""
        self._thread.start()

    def close(self, within_s: float = 2.0) -> None:
        """Try once more what is queued, for at most ``within_s`` plus the current attempt, then stop."""
        self._ends_s = time.monotonic() + within_s
        self._stopping.set()
        # A full queue keeps the thread awake as it is.
        with suppress(Full):
            self._queue.put_nowait(None)
        self._thread.join()

    def enqueue(self, request: AdRequest, cookies: Cookies) -> None:
        """Have the signals of a request stored for its account and its device. Never waits."""
        now_s, seen_at_ms = time.monotonic(), self._now_ms()
        key, policy = secrets.token_bytes(_KEY_BYTES), self._choices.rulebook().policy.signals
        actor = client_name(request.caller)
        for seen in sightings(request, cookies, policy, seen_at_ms, key):
            sighting = seen._replace(actor=actor)
            if self._is_due(sighting.subject, now_s):
                self._put(sighting, now_s)
            elif len(self._postponed) < self._capacity:
                # The person may have opted in since the sighting that was stored.
                self._postponed[sighting.subject] = sighting

    def _is_due(self, subject: Subject, now_s: float) -> bool:
        return now_s - self._enqueued_s.get(subject, -math.inf) >= self._again_after_s

    def _put(self, sighting: Sighting, now_s: float) -> None:
        try:
            self._queue.put_nowait(sighting)
        except Full:
            self._metrics.count_store_error("sticky", "full")
            return
        if len(self._enqueued_s) >= self._capacity:
            # Forgetting too much costs an unnecessary read of the store, no more.
            self._enqueued_s.clear()
        self._enqueued_s[sighting.subject] = now_s

    def _now_ms(self) -> int:
        """Return the milliseconds since 1970."""
        return int(self._choices.now() * 1000)

    def _run(self) -> None:
        while not self._stopping.is_set() or (self._has_work() and time.monotonic() < self._ends_s):
            self._put_postponed()
            try:
                sighting = self._queue.get(timeout=_IDLE_S)
            except Empty:
                continue
            if sighting is not None:
                self._store_with_retry(sighting)

    def _has_work(self) -> bool:
        return bool(self._postponed) or not self._queue.empty()

    def _put_postponed(self) -> None:
        """Queue what was seen again too soon, once its minute is over; while stopping, all of it."""
        now_s = time.monotonic()
        if now_s < self._check_postponed_s and not self._stopping.is_set():
            return
        self._check_postponed_s = now_s + _IDLE_S
        for subject in list(self._postponed):
            if self._stopping.is_set() or self._is_due(subject, now_s):
                self._put(self._postponed.pop(subject), now_s)

    def _store_with_retry(self, sighting: Sighting) -> None:
        """Retry until the store answers; later sightings wait in the queue."""
        while not self._store(sighting):
            if self._stopping.wait(self._retry_after_s):
                return

    def _store(self, sighting: Sighting) -> bool:
        """Store one signal; return False if the store could not."""
        try:
            # Waiting for replicas here would delay the next signal; the replication watch does it.
            receipt = self._choices.update(sighting.subject, partial(self._next_record, sighting), waits=False)
        except StoreError:
            self._metrics.count_store_error("sticky", "unavailable")
            return False
        except RecordUnreadable:
            # An unreadable record limits as it is, and only an explicit choice may replace it.
            return True
        except Exception as problem:  # noqa: BLE001  # a fault with one signal must not stop the others
            note(problem)
            self._metrics.count_store_error("sticky", "internal")
            return True
        if receipt is not None:
            self._report(sighting, receipt)
        return True

    def _next_record(self, sighting: Sighting, current: Preference, stored: StoredRecords) -> Preference | None:
        policy = self._choices.rulebook().policy.signals
        if is_new_device(stored) and not self._is_permitted(sighting, policy.new_devices_per_second):
            # Its own requests are limited by the signal in any case.
            self._metrics.count_dropped_signal()
            return None
        return opt_out_by_signal(current, stored, sighting, self._now_ms(), policy)

    def _is_permitted(self, sighting: Sighting, limit: int) -> bool:
        """Count a new device once, however often the attempt to store it is repeated."""
        if sighting is not self._permitted:
            if not self._new_devices.allows(sighting.caller, limit):
                return False
            self._permitted = sighting
        return True

    def _report(self, sighting: Sighting, receipt: ChoiceReceipt) -> None:
        if not receipt.confirmed:
            self._on_unconfirmed(sighting.subject, receipt.preference)
        durability = "confirmed" if receipt.confirmed else "unconfirmed"
        self.on_stored(sighting)
        self._metrics.count_preference_change("opt_out", sighting.source.name.lower(), durability)
