"""The worker: one blocking loop that takes what waits, asks the store once, decides, and hands the answers back.

A call that has waited longer than its budget is answered without asking the store. Whatever goes wrong, a decision
is answered: limited, with the reason.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from server import prepare, wire
from server.errors import InvalidRequest, note, refusal_of
from server.gate.methods import DECIDE_BATCH, PREPARE_BID_REQUEST
from server.gate.port import Answer, Call, Gate, Lane
from server.ip_location import IpLocator
from server.metrics import Metrics
from server.reading import parse, parse_batch
from server.sticky import STICKY, ignore_sticky
from server.store.ports import DecisionStore, StoreError, StoreTimeout
from server.translate import ad_request
from targeting.decision import Decision, Item, Plan, Rulebook, decide, plan
from targeting.explain import Evidence
from targeting.judge import StoredSubject
from targeting.model import AdRequest, Signals
from targeting.openrtb import BidRequest
from targeting.policy import Policy
from targeting.reasons import Reason
from targeting.signals.cookies import Cookies
from targeting.signals.nap import Nap
from targeting.signals.tcf import KNOWN_POLICY_VERSION

_LOG = logging.getLogger(__name__)
_IDLE_S = 0.25
_LEAST_BUDGET_S = 0.002
"""With less time left the store is not asked, so that one hurried call does not hurry its batch."""

_MOST_TOGETHER = 128
"""Decisions of several calls that are made together: more make each hardly cheaper, and all wait for the last."""

_UNREADABLE = Reason.SIGNAL_UNREADABLE.bit


class Decider:
    """Decides batches of requests: plan, one fetch, decide. Used by one thread, which owns the store's connection."""

    def __init__(
        self,
        store: DecisionStore,
        rulebook: Callable[[], Rulebook],
        open_nap: Callable[[str], Nap | None],
        metrics: Metrics,
        on_sticky: Callable[[AdRequest, Cookies], None] = ignore_sticky,
    ) -> None:
        self.rulebook = rulebook
        self._store = store
        self._open_nap = open_nap
        self._metrics = metrics
        self._on_sticky = on_sticky
        self._newer_policies: set[int] = set()

    def decide(
        self, requests: Sequence[AdRequest], budget_s: float, rulebook: Rulebook | None = None
    ) -> list[Decision]:
        """Decide, waiting for the store no longer than the budget (seconds), by a rulebook or the one in force."""
        if not requests:
            return []
        rulebook, deadline_s = rulebook or self.rulebook(), time.monotonic() + budget_s
        try:
            planned = plan(requests, rulebook.policy)
            decisions = decide(planned, self._fetch(planned, budget_s), self._naps(planned), rulebook, time.time())
            self.notice(planned.items)
        except Exception as problem:  # noqa: BLE001  # an ad is always served: a fault of ours only ever limits
            note(problem)
            decisions = [self._alone(request, deadline_s, rulebook) for request in requests]
        self._metrics.count_decisions(decisions)
        return decisions

    def notice(self, items: Iterable[Item]) -> None:
        """Count what could not be read, and hand on what may be worth storing; the others cost two comparisons."""
        for item in items:
            mask, consent = item.findings.mask, item.findings.consent
            for string in consent.tc_strings:
                if string.policy_is_newer:
                    self._notice_policy(string.policy_version)
            if mask & STICKY:
                self._on_sticky(item.request, item.cookies)
            if mask & _UNREADABLE:
                for signal in (
                    *consent.unreadable,
                    *(["request"] if item.request.signals.unreadable else []),
                ):
                    self._metrics.count_decode_error(signal)

    def _notice_policy(self, version: int) -> None:
        self._metrics.count_newer_policy()
        if version not in self._newer_policies:
            self._newer_policies.add(version)
            _LOG.warning(
                "TC strings of policy version %d are in use, which this release does not know: they are read as of "
                "version %d; look for a newer release",
                version,
                KNOWN_POLICY_VERSION,
            )

    def evidence(self, request: AdRequest, budget_s: float) -> Evidence:
        """Decide one request and keep what it was decided from; nothing is counted or written."""
        rulebook = self.rulebook()
        planned = plan([request], rulebook.policy)
        stored = self._fetch(planned, budget_s)
        decision = decide(planned, stored, self._naps(planned), rulebook, time.time())[0]
        return Evidence(planned.items[0], stored, decision, rulebook.policy)

    def _fetch(self, planned: Plan, budget_s: float) -> Sequence[StoredSubject] | Reason:
        if not planned.subjects:
            return ()
        if budget_s < _LEAST_BUDGET_S:
            return Reason.STORE_TIMEOUT
        started = time.perf_counter()
        try:
            return self._store.fetch(planned.subjects, budget_s)
        except StoreTimeout:
            self._metrics.count_store_error("fetch", "timeout")
            return Reason.STORE_TIMEOUT
        except StoreError:
            self._metrics.count_store_error("fetch", "unavailable")
            return Reason.STORE_UNAVAILABLE
        finally:
            self._metrics.observe_fetch(time.perf_counter() - started)

    def _naps(self, planned: Plan) -> list[Sequence[Nap]]:
        """Open the NAP cookies of requests that nothing has limited yet; the others' are not even looked at."""
        return [
            [nap for text in item.cookies.naps if (nap := self._open_nap(text)) is not None]
            if item.subjects and item.cookies.naps
            else ()
            for item in planned.items
        ]

    def _alone(self, request: AdRequest, deadline_s: float, rulebook: Rulebook) -> Decision:
        """Decide one request by itself: what is wrong with somebody's records is not the batch-mates' fault."""
        planned, reason = _planned_alone(request, rulebook.policy), Reason.STORE_UNAVAILABLE
        try:
            self.notice(planned.items)
            stored = self._fetch(planned, deadline_s - time.monotonic())
            reason = Reason.RECORD_UNREADABLE
            return decide(planned, stored, self._naps(planned), rulebook, time.time())[0]
        except Exception as problem:  # noqa: BLE001  # as above
            note(problem)
            return decide(planned, reason, [()], rulebook, time.time())[0]


def _planned_alone(request: AdRequest, policy: Policy) -> Plan:
    try:
        return plan([request], policy)
    except Exception as problem:  # noqa: BLE001  # as above: what cannot even be looked at limits as unreadable
        note(problem)
        return plan([request._replace(cookie_header="", signals=Signals(unreadable=("request",)))], policy)


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
        """Answer these calls: single decisions first, then the callers' own batches; all that goes well together."""
        waiting = [call for call in calls if not call.gone]
        self._serve_alike([call for call in waiting if call.method is not DECIDE_BATCH])
        self._serve_alike([call for call in waiting if call.method is DECIDE_BATCH])

    def _serve_alike(self, calls: Sequence[Call]) -> None:
        ready: list[_Ready] = []
        refused: list[tuple[Call, Answer]] = []
        for call in calls:
            try:
                ready.append(self._read(call))
            except Exception as problem:  # noqa: BLE001  # what is wrong with one call is not its batch-mates' fault
                refused.append((call, refusal_of(problem)))
        if refused:
            self._answer(refused)
        for portion in _portions(ready):
            self._answer(self._decide_together(portion))

    def _answer(self, answers: list[tuple[Call, Answer]]) -> None:
        self._gate.answer(answers)
        now = time.monotonic()
        for call, _ in answers:
            self._metrics.observe_decision(now - call.arrived_s)

    def _decide_together(self, portion: Sequence["_Ready"]) -> list[tuple[Call, Answer]]:
        late = [each for each in portion if self._budget_s(each.call) < _LEAST_BUDGET_S]
        ready = [each for each in portion if each not in late] if late else portion
        budget_s = min((self._budget_s(each.call) for each in ready), default=0.0)
        return [*self._decide_group(ready, budget_s), *self._decide_group(late, 0.0)]

    def _read(self, call: Call) -> "_Ready":
        if call.method is DECIDE_BATCH:
            return self._read_batch(call)
        if call.method is PREPARE_BID_REQUEST:
            request, bid_request = prepare.read_call(call.payload, self._locator)
            return _Ready(call, [request], bid_request)
        return _Ready(call, [ad_request(parse(pb.DecideRequest, call.payload), self._locator)])

    def _read_batch(self, call: Call) -> "_Ready":
        items = map(self._item, parse_batch(pb.DecideBatchRequest, "requests", pb.DecideRequest, call.payload))
        requests: list[AdRequest] = []
        refused: list[tuple[int, bytes]] = []
        for at, item in enumerate(items):
            if isinstance(item, AdRequest):
                requests.append(item)
            else:
                refused.append((at, item))
        return _Ready(call, requests, refused=refused)

    def _decide_group(self, group: Sequence["_Ready"], budget_s: float) -> Iterator[tuple[Call, Answer]]:
        rulebook = self._decider.rulebook()
        requests = [request for each in group for request in each.requests]
        decisions = self._decider.decide(requests, budget_s, rulebook)
        # One decision a request, strictly: each call gets its own part, whatever becomes of the others' answers.
        decided = [pair[1:] for pair in zip(requests, decisions, wire.responses(decisions), strict=True)]
        at = 0
        for each in group:
            own = decided[at : at + len(each.requests)]
            at += len(each.requests)
            yield each.call, self._answered(partial(each.answer, own, rulebook.policy))

    def _item(self, request: pb.DecideRequest | InvalidRequest) -> AdRequest | bytes:
        try:
            if isinstance(request, InvalidRequest):
                raise request
            return ad_request(request, self._locator)
        except InvalidRequest as problem:
            return wire.error(refusal_of(problem).code, problem.field, str(problem))

    def _answered(self, handler: Callable[[], bytes]) -> Answer:
        try:
            return handler()
        except Exception as problem:  # noqa: BLE001  # the table of errors says what the caller may see of it
            return refusal_of(problem)

    def _budget_s(self, call: Call) -> float:
        return min(call.deadline_s, call.arrived_s + self._limits.budget_s) - time.monotonic()


class _Ready(NamedTuple):
    """A call that was read: what is to be decided, and the bid request to prepare, if one came.

    ``refused`` are the items of a batch that cannot be taken: where they stand in it, and their results.
    """

    call: Call
    requests: Sequence[AdRequest]
    bid_request: BidRequest | None = None
    refused: Sequence[tuple[int, bytes]] = ()

    def answer(self, decided: Sequence[tuple[Decision, bytes]], policy: Policy) -> bytes:
        """Give the answer, from the decisions on the requests, each also as a ``DecideResponse``."""
        if self.call.method is DECIDE_BATCH:
            results = [wire.result(response) for _, response in decided]
            for at, error in self.refused:
                results.insert(at, error)
            return wire.batch_response(results)
        ((decision, response),) = decided
        if self.bid_request is None:
            return response
        return prepare.answer_call(self.bid_request, decision, response, policy)


def _portions(ready: Iterable[_Ready]) -> Iterator[list[_Ready]]:
    """Put calls together that are to be decided together: as many as have so few requests that none waits long."""
    portion: list[_Ready] = []
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
