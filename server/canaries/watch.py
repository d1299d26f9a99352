"""Asks about the canaries every second, and reports each answer that is not what it must be.

An answer counts only if the records were the same before and after it, so a service that is just writing them raises no
alarm. A control that is limited is a fault only while the store answers and is trusted: otherwise everyone is limited.
A canary that must be limited holds only by its own reason, so while the store fails only those hold that their request
limits. Invariant: a round begins a second after the one before it, or as soon as that one has ended.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from server.canaries.client import Answer
from server.canaries.connection import Unanswered
from server.canaries.planter import Planted
from server.canaries.requests import Asking
from server.errors import note
from server.metrics.canary_counts import CanaryCounts, Outcome
from server.store.ports import StoreError
from targeting.canaries.ids import CanaryIds
from targeting.canaries.people import CANARIES, Canary
from targeting.policy.policy import Policy
from targeting.reasons import Reason

_LOG = logging.getLogger(__name__)
EVERY_S: Final = 1.0


class Records(Protocol):
    """The records of the canaries: ``server.canaries.planter.Planter``."""

    def tend(self) -> Planted:
        """Write what is missing, and return whom to ask about. Raises ``StoreError``."""
        ...

    def look(self) -> Planted:
        """Return whom to ask about. Raises ``StoreError``."""
        ...


class Client(Protocol):
    """The client of the canaries: ``server.canaries.client.CanaryClient``."""

    def ask(self, canaries: Sequence[Canary], asking: Asking) -> Iterator[Answer]:
        """Ask about every canary in every call. Raises ``Unanswered``."""
        ...


class WatchParts(NamedTuple):
    """The parts of a watch. ``policy`` returns the one in force."""

    records: Records
    client: Client
    policy: Callable[[], Policy]
    ids: CanaryIds
    counts: CanaryCounts


class _Seen(NamedTuple):
    """The records at one moment; ``serves``: the store answered, and is trusted."""

    planted: Planted
    serves: bool


class CanaryWatch:
    """Asks on a thread of its own, which lives from ``start`` to ``close``."""

    def __init__(
        self,
        parts: WatchParts,
        *,
        every_s: float = EVERY_S,
        clock_s: Callable[[], float] = time.monotonic,
        stopping: threading.Event | None = None,
    ) -> None:
        """``clock_s`` and ``stopping``, whose ``wait`` is the pause between rounds, are those of a test."""
        self._parts = parts
        self._clock_s = clock_s
        self._every_s = every_s
        self._turn = 0
        self._seen = _Seen({}, serves=False)
        self._is_answered = True
        self._stopping = stopping or threading.Event()
        self._thread = threading.Thread(target=self._run, name="canaries", daemon=True)

    def start(self) -> None:
        """Start asking."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the call under way."""
        self._stopping.set()
        self._thread.join()

    def check(self) -> None:
        """Ask about all canaries once, and report what is wrong."""
        policy = self._parts.policy()
        before = self._seen = self._read(self._parts.records.tend)
        canaries = [canary for canary in CANARIES if canary in before.planted and canary.applies(policy)]
        suspects = []
        for answer in self._answers(canaries, Asking.under(policy, self._parts.ids, self._turn)):
            if answer.faults:
                suspects.append(answer)
            else:
                self._parts.counts.count(Outcome.HELD if _holds(answer, before) else Outcome.UNANSWERED)
        self._turn += 1
        if suspects and self._parts.policy() is policy:
            self._report(suspects, before)

    def _run(self) -> None:
        while not self._stopping.is_set():
            next_s = self._clock_s() + self._every_s
            try:
                self.check()
            except Exception as problem:  # noqa: BLE001  # the watch outlives a fault of ours
                note(problem)
            self._stopping.wait(max(next_s - self._clock_s(), 0.0))

    def _read(self, read: Callable[[], Planted]) -> _Seen:
        try:
            return _Seen(read(), serves=True)
        except StoreError:
            return _Seen(self._seen.planted, serves=False)

    def _answers(self, canaries: Sequence[Canary], asking: Asking) -> Iterator[Answer]:
        try:
            for answer in self._parts.client.ask(canaries, asking):
                if self._stopping.is_set():
                    return
                yield answer
        except Unanswered as problem:
            self._parts.counts.count(Outcome.UNANSWERED)
            if self._is_answered:
                _LOG.warning("leak canaries: no answer, %s; nothing is known of leaks until there is one", problem)
            self._is_answered = False
        else:
            self._is_answered = True

    def _report(self, suspects: Sequence[Answer], before: _Seen) -> None:
        after = self._read(self._parts.records.look)
        serves = before.serves and after.serves
        for answer in suspects:
            faults = [fault.text for fault in answer.faults if serves or not fault.is_limit]
            if not faults or before.planted[answer.canary] != after.planted.get(answer.canary):
                self._parts.counts.count(Outcome.UNANSWERED)
                continue
            self._parts.counts.count(Outcome.LEAKED)
            _LOG.error("leak canary %s: %s shows %s", answer.canary.name, answer.call, "; ".join(faults))


def _holds(answer: Answer, seen: _Seen) -> bool:
    """Whether an answer without a fault shows that its canary's guard works.

    A store that is not trusted limits everyone for the reason of a lost preference, so that one then shows nothing.
    """
    is_everyones = answer.canary.reason is Reason.PREFERENCE_LOST and not seen.serves
    return not answer.is_unserved and not is_everyones
