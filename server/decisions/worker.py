"""The worker of the decision lane: take what waits, read, decide together, answer.

A call that has waited longer than its budget is answered without asking the store. Faults of ours are contained by
``server.decisions.containment``; here is only the ordinary way.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from server.decisions.containment import ContainedDecider, attempt, attempt_each, observe_all
from server.decisions.decider import Decided, Decider
from server.decisions.fetcher import Fetcher
from server.decisions.portions import by_patience, portions
from server.decisions.reading import CallReader, ReadCall
from server.decisions.signal_observer import SignalObserver
from server.gate.methods import DECIDE_BATCH
from server.gate.port import Answer, Call, Gate, Lane, Refusal
from server.metrics.metrics import Metrics
from targeting.decision import Rulebook
from targeting.model import AdRequest

_IDLE_S = 0.25


class DecisionParts(NamedTuple):
    """What decides: one set a thread, as the store's connection belongs to the thread that uses it."""

    decider: Decider
    fetcher: Fetcher
    observer: SignalObserver


class Limits(NamedTuple):
    """How long a decision may take from its arrival (seconds), and how many calls are taken together."""

    budget_s: float = 0.025
    max_batch: int = 64


class Worker:
    """The loop. ``run`` returns soon after ``stop``."""

    def __init__(self, gate: Gate, parts: DecisionParts, reader: CallReader, metrics: Metrics, limits: Limits) -> None:
        self._gate = gate
        self._decider = ContainedDecider(parts.decider)
        self._fetcher = parts.fetcher
        self._observer = parts.observer
        self._reader = reader
        self._metrics = metrics
        self._limits = limits
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the loop after the calls that it has taken."""
        self._stopping.set()

    def run(self) -> None:
        """Take and serve, until stopped."""
        while not self._stopping.is_set():
            calls = self._gate.take(Lane.DECISIONS, self._limits.max_batch, _IDLE_S)
            refusal = attempt(partial(self.serve, calls))
            if isinstance(refusal, Refusal):
                self._gate.answer([(call, refusal) for call in calls])

    def serve(self, calls: Sequence[Call]) -> None:
        """Answer these calls: single decisions first, then the callers' own batches; each kind in portions."""
        singles = [call for call in calls if call.method is not DECIDE_BATCH]
        batches = [call for call in calls if call.method is DECIDE_BATCH]
        for alike in (singles, batches):
            for portion in portions(self._read_all(alike)):
                for group, budget_s in by_patience(portion, self._budget_s):
                    self._answer_together(group, budget_s)

    def _read_all(self, calls: Iterable[Call]) -> Iterator[ReadCall]:
        """Read calls one by one, as they are needed; refuse those that cannot be read."""
        for call in calls:
            if call.gone:
                continue
            read = attempt(partial(self._reader.read, call))
            if isinstance(read, Refusal):
                self._answer([(call, read)])
            else:
                yield read

    def _answer_together(self, group: Sequence[ReadCall], budget_s: float) -> None:
        requests = [request for call in group for request in call.requests]
        rulebook = self._decider.rulebook()
        decided = attempt(partial(self._decide, requests, budget_s, rulebook))
        if isinstance(decided, Refusal):
            self._answer([(read.call, decided) for read in group])
            return
        decisions = iter(decided)
        jobs: list[Callable[[], bytes]] = [
            partial(read.answer, list(islice(decisions, len(read.requests))), rulebook.policy) for read in group
        ]
        self._answer([(read.call, answer) for read, answer in zip(group, attempt_each(jobs), strict=True)])

    def _decide(self, requests: Sequence[AdRequest], budget_s: float, rulebook: Rulebook) -> list[Decided]:
        if not requests:
            return []
        deadline_s = time.monotonic() + budget_s
        planned = self._decider.plan(requests, rulebook.policy)
        stored = self._fetcher.fetch(planned.subjects, deadline_s - time.monotonic())
        decided = self._decider.decide(planned, stored, rulebook)
        observe_all(self._observer, planned.items)
        self._metrics.count_decisions([decision for decision, _ in decided])
        return decided

    def _answer(self, answers: Sequence[tuple[Call, Answer]]) -> None:
        self._gate.answer(answers)
        now_s = time.monotonic()
        for call, _ in answers:
            self._metrics.observe_decision(now_s - call.arrived_s)

    def _budget_s(self, read: ReadCall) -> float:
        call = read.call
        return min(call.deadline_s, call.arrived_s + self._limits.budget_s) - time.monotonic()
