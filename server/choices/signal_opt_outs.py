"""Signals that outlast their request: Global Privacy Control and industry opt-outs become stored opt-outs.

Whoever offers a request never waits: a bounded queue and one thread stand between. Invariants: a subject is written
at most once a minute; a choice that is newer than the signal is left alone; the later absence of a signal changes
nothing. A signal that cannot be stored yet is tried again until it is.
"""

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue
from typing import NamedTuple

from server.choices.choice_store import ChoiceReceipt, ChoiceStore
from server.errors import note
from server.metrics.metrics import Metrics
from server.store.ports import StoreError
from targeting.model import AdRequest, Signals, Subject, SubjectKind
from targeting.policy.policy import SignalPolicy
from targeting.reasons import Reason, reasons_of
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import Choice, Preference, Source
from targeting.signals.cookies import Cookies

LASTING_REASONS = reasons_of(Reason.GLOBAL_PRIVACY_CONTROL, Reason.INDUSTRY_OPT_OUT)
"""The reasons that may be worth storing: a request limited for none of them need not be offered."""

_IDLE_S = 0.25
_KEY_BYTES = 8


def ignore_signal_opt_out(_: AdRequest, __: Cookies) -> None:
    """Store nothing."""


class _Sighting(NamedTuple):
    """A signal of one subject, and when it was seen (milliseconds since 1970)."""

    subject: Subject
    source: Source
    seen_ms: int


class SignalOptOuts:
    """Takes requests from any thread, and stores on one of its own, which lives from ``start`` to ``close``."""

    def __init__(
        self,
        choices: ChoiceStore,
        metrics: Metrics,
        on_unconfirmed: Callable[[Subject, Preference], None],
        *,
        room: int = 10_000,
        retry_after_s: float = 1.0,
        again_after_s: float = 60.0,
    ) -> None:
        self._choices = choices
        self._metrics = metrics
        self._on_unconfirmed = on_unconfirmed
        self._room = room
        self._retry_after_s = retry_after_s
        self._again_after_s = again_after_s
        self._waiting: Queue[_Sighting] = Queue(room)
        self._offered_s: dict[Subject, float] = {}
        self._later: dict[Subject, _Sighting] = {}
        self._look_later_s = 0.0
        self._stopping = threading.Event()
        self._ends_s = math.inf
        self._thread = threading.Thread(target=self._run, name="sticky", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def close(self, within_s: float = 2.0) -> None:
        """Try what is waiting once more, for no longer than ``within_s`` and the try at hand, then end."""
        self._ends_s = time.monotonic() + within_s
        self._stopping.set()
        self._thread.join()

    def offer(self, request: AdRequest, cookies: Cookies) -> None:
        """Have a request's signals stored for its account and its device. Never waits."""
        source = _source(request.signals, self._choices.rulebook().policy.signals)
        if source is None:
            return
        now_s = time.monotonic()
        for subject in _subjects(request, cookies):
            sighting = _Sighting(subject, source, int(time.time() * 1000))
            if self._is_due(subject, now_s):
                self._enqueue(sighting, now_s)
            elif len(self._later) < self._room:
                # The person may have opted in since the sighting that was stored.
                self._later[subject] = sighting

    def _is_due(self, subject: Subject, now_s: float) -> bool:
        return now_s - self._offered_s.get(subject, -math.inf) >= self._again_after_s

    def _enqueue(self, sighting: _Sighting, now_s: float) -> None:
        try:
            self._waiting.put_nowait(sighting)
        except Full:
            self._metrics.count_store_error("sticky", "full")
            return
        if len(self._offered_s) >= self._room:
            # Forgetting too much costs a needless look at the store, no more.
            self._offered_s.clear()
        self._offered_s[sighting.subject] = now_s

    def _run(self) -> None:
        while not self._stopping.is_set() or (self._has_work() and time.monotonic() < self._ends_s):
            self._enqueue_later()
            try:
                sighting = self._waiting.get(timeout=_IDLE_S)
            except Empty:
                continue
            self._store_in_the_end(sighting)

    def _has_work(self) -> bool:
        return bool(self._later) or not self._waiting.empty()

    def _enqueue_later(self) -> None:
        """Take what was seen again too soon, once its minute is over; at the end, all of it."""
        now_s = time.monotonic()
        if now_s < self._look_later_s and not self._stopping.is_set():
            return
        self._look_later_s = now_s + _IDLE_S
        for subject in list(self._later):
            if self._stopping.is_set() or self._is_due(subject, now_s):
                self._enqueue(self._later.pop(subject), now_s)

    def _store_in_the_end(self, sighting: _Sighting) -> None:
        """Until the store answers again, what is seen waits in the queue."""
        while not self._store(sighting):
            if self._stopping.wait(self._retry_after_s):
                return

    def _store(self, sighting: _Sighting) -> bool:
        """Store one signal; False when the store could not."""
        try:
            # Waiting for replicas here would keep the next signal waiting; the watch over the unconfirmed does it.
            stored = self._choices.update(sighting.subject, lambda held, _: _after(held, sighting), waits=False)
        except StoreError:
            self._metrics.count_store_error("sticky", "unavailable")
            return False
        except RecordUnreadable:
            # It limits as it is, and an explicit choice alone may replace it.
            return True
        except Exception as problem:  # noqa: BLE001  # a fault with one signal is not that of everybody after it
            note(problem)
            self._metrics.count_store_error("sticky", "internal")
            return True
        if stored is not None:
            self._tell(sighting, stored)
        return True

    def _tell(self, sighting: _Sighting, stored: ChoiceReceipt) -> None:
        if not stored.confirmed:
            self._on_unconfirmed(sighting.subject, stored.preference)
        durability = "confirmed" if stored.confirmed else "unconfirmed"
        self._metrics.count_preference_change("opt_out", sighting.source.name.lower(), durability)


def _source(signals: Signals, policy: SignalPolicy) -> Source | None:
    if signals.global_privacy_control and policy.store_global_privacy_control:
        return Source.GPC
    if signals.industry_opt_outs and policy.store_industry_opt_out:
        return Source.INDUSTRY_PAGE
    return None


def _subjects(request: AdRequest, cookies: Cookies) -> Iterator[Subject]:
    if request.identity.account_id:
        yield Subject(SubjectKind.ACCOUNT, request.identity.account_id)
    if device_id := request.identity.device_id or cookies.muid:
        yield Subject(SubjectKind.DEVICE, device_id)


def _after(held: Preference, sighting: _Sighting) -> Preference | None:
    """An opt-out stays as it is, whatever its source; so does a choice that was made after the signal was seen."""
    if held.choice is Choice.OPT_OUT or held.changed_at_ms > sighting.seen_ms:
        return None
    key = secrets.token_bytes(_KEY_BYTES)
    return apply_choice(
        held, ChoiceMade(choice=Choice.OPT_OUT, source=sighting.source, change_key=key, made_at_ms=sighting.seen_ms)
    )
