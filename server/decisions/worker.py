"""The worker: one blocking loop that takes what waits, has it decided together, and hands the answers back.

A call that has waited longer than its budget is answered without asking the store.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from server.decisions import bid_requests as prepare
from server.decisions.decider import LEAST_BUDGET_S, Decided, Decider
from server.errors import InvalidRequest, refusal_of
from server.gate.methods import DECIDE_BATCH, PREPARE_BID_REQUEST
from server.gate.port import Answer, Call, Gate, Lane
from server.geo.ip_location import IpLocator
from server.messages import wire
from server.messages.reading import parse, parse_batch
from server.messages.translate import ad_request
from server.metrics.metrics import Metrics
from targeting.model import AdRequest
from targeting.openrtb.bid_request import BidRequest
from targeting.policy.policy import Policy

_IDLE_S = 0.25
_HURRIED_S = 0.005
"""Calls with less time left are decided apart, so that they do not hurry the others."""

_MOST_TOGETHER = 128
"""Decisions of several calls that are made together: more make each hardly cheaper, and all wait for the last."""


class Worker:
    """The loop. ``run`` returns soon after ``stop``."""

    def __init__(self, gate: Gate, decider: Decider, locator: IpLocator, metrics: Metrics, limits: "Limits") -> None:
        self._gate = gate
        self._decider = decider
        self._locator = locator
        self._metrics = metrics
        self._limits = limits
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the loop after the batch at hand."""
        self._stopping.set()

    def run(self) -> None:
        """Take, decide, answer, until stopped."""
        while not self._stopping.is_set():
            calls = self._gate.take(Lane.DECISIONS, self._limits.max_batch, _IDLE_S)
            if calls:
                self._serve_or_refuse(calls)

    def _serve_or_refuse(self, calls: Sequence[Call]) -> None:
        try:
            self.serve(calls)
        except Exception as problem:  # noqa: BLE001  # the loop outlives a fault of ours, and nobody is left waiting
            refusal = refusal_of(problem)
            self._gate.answer([(call, refusal) for call in calls])

    def serve(self, calls: Sequence[Call]) -> None:
        """Answer these calls: single decisions first, then the callers' own batches; each kind in portions."""
        for alike in (
            [call for call in calls if call.method is not DECIDE_BATCH],
            [call for call in calls if call.method is DECIDE_BATCH],
        ):
            for portion in _portions(self._read_all(alike)):
                for group, budget_s in self._by_patience(portion):
                    self._decide_together(group, budget_s)

    def _read_all(self, calls: Iterable[Call]) -> Iterator["_Read"]:
        """Read calls, and answer those that cannot be read.

        One by one, as they are needed: reading all of many batches could take more time than the first one has.
        """
        for call in calls:
            if call.gone:
                continue
            try:
                read = self._read(call)
            except Exception as problem:  # noqa: BLE001  # what is wrong with one call is not its batch-mates' fault
                self._answer([(call, refusal_of(problem))])
            else:
                yield read

    def _by_patience(self, portion: Sequence["_Read"]) -> Iterator[tuple[list["_Read"], float]]:
        """Give groups, and how long each may wait for the store (seconds): those too late for it, the hurried, others.

        The store has as long as the least patient of those whom it is asked for together. Time passes while the first
        are decided, so what is left is looked at anew for each group.
        """
        left = list(portion)
        while left:
            timed = [(self._budget_s(each.call), each) for each in left]
            least_s = min(budget_s for budget_s, _ in timed)
            limit_s = next(each for each in (LEAST_BUDGET_S, _HURRIED_S, math.inf) if least_s < each)
            yield [each for budget_s, each in timed if budget_s < limit_s], least_s
            left = [each for budget_s, each in timed if budget_s >= limit_s]

    def _decide_together(self, group: Sequence["_Read"], budget_s: float) -> None:
        requests = [request for each in group for request in each.requests]
        try:
            rulebook = self._decider.rulebook()
            decided = self._decider.decide(requests, budget_s, rulebook)
        except Exception as problem:  # noqa: BLE001  # not the fault of those who are still to be decided
            refusal = refusal_of(problem)
            self._answer([(each.call, refusal) for each in group])
            return
        answers: list[tuple[Call, Answer]] = []
        at = 0
        for each in group:
            # By place, so that each call gets its own part whatever becomes of the others' answers.
            own = decided[at : at + len(each.requests)]
            at += len(each.requests)
            answers.append((each.call, _answered(partial(each.answer, own, rulebook.policy))))
        self._answer(answers)

    def _answer(self, answers: list[tuple[Call, Answer]]) -> None:
        self._gate.answer(answers)
        now = time.monotonic()
        for call, _ in answers:
            self._metrics.observe_decision(now - call.arrived_s)

    def _read(self, call: Call) -> "_Read":
        if call.method is DECIDE_BATCH:
            return self._read_batch(call)
        if call.method is PREPARE_BID_REQUEST:
            request, bid_request = prepare.read_call(call.payload, self._locator)
            return _Read(call, [request], bid_request)
        return _Read(call, [ad_request(parse(pb.DecideRequest, call.payload), self._locator)])

    def _read_batch(self, call: Call) -> "_Read":
        requests: list[AdRequest] = []
        refused: list[tuple[int, bytes]] = []
        for at, item in enumerate(parse_batch(pb.DecideBatchRequest, "requests", pb.DecideRequest, call.payload)):
            try:
                requests.append(self._read_item(item))
            except Exception as problem:  # noqa: BLE001  # what is wrong with one item is not the others' fault
                refused.append((at, _refused(problem)))
        return _Read(call, requests, refused=refused)

    def _read_item(self, item: pb.DecideRequest | InvalidRequest) -> AdRequest:
        if isinstance(item, InvalidRequest):
            raise item
        return ad_request(item, self._locator)

    def _budget_s(self, call: Call) -> float:
        return min(call.deadline_s, call.arrived_s + self._limits.budget_s) - time.monotonic()


class _Read(NamedTuple):
    """A call that was read: what is to be decided, and the bid request to prepare, if one came.

    ``refused`` are the items of a batch that cannot be taken: where they stand in it, and their results.
    """

    call: Call
    requests: Sequence[AdRequest]
    bid_request: BidRequest | None = None
    refused: Sequence[tuple[int, bytes]] = ()

    def answer(self, decided: Sequence[Decided], policy: Policy) -> bytes:
        """Give the answer, from the decisions on the requests."""
        if self.call.method is DECIDE_BATCH:
            results = [wire.result(each.response) for each in decided]
            for at, error in self.refused:
                results.insert(at, error)
            return wire.batch_response(results)
        ((decision, response),) = decided
        if self.bid_request is None:
            return response
        return prepare.answer_call(self.bid_request, decision, response, policy)


def _refused(problem: Exception) -> bytes:
    """Give the result of an item that cannot be taken."""
    refusal = refusal_of(problem)
    field = problem.field if isinstance(problem, InvalidRequest) else ""
    return wire.error(refusal.code, field, refusal.message)


def _answered(handler: Callable[[], bytes]) -> Answer:
    try:
        return handler()
    except Exception as problem:  # noqa: BLE001  # the table of errors says what the caller may see of it
        return refusal_of(problem)


def _portions(ready: Iterable[_Read]) -> Iterator[list[_Read]]:
    """Put calls together, up to ``_MOST_TOGETHER`` requests; one that has more is alone."""
    portion: list[_Read] = []
    size = 0
    for each in ready:
        if portion and size + len(each.requests) > _MOST_TOGETHER:
            yield portion
            portion, size = [], 0
        portion.append(each)
        size += len(each.requests)
    if portion:
        yield portion


class Limits(NamedTuple):
    """How long a decision may take from its arrival (seconds), and how many calls make a batch."""

    budget_s: float = 0.025
    max_batch: int = 64
