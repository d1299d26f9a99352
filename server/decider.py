"""From requests to decisions and their bytes: plan, one fetch for all of them, decide, serialise.

Whatever goes wrong, every request is decided: limited, with the reason. What is wrong with one is nobody else's fault.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from server import wire
from server.errors import note
from server.metrics import Metrics
from server.sticky import STICKY, ignore_sticky
from server.store.ports import DecisionStore, StoreError, StoreTimeout
from targeting.decision import Decision, Item, Plan, Rulebook, decide, plan
from targeting.explain import Evidence
from targeting.judge import StoredSubject
from targeting.model import AdRequest, Signals
from targeting.policy import Policy
from targeting.reasons import Reason
from targeting.signals.cookies import Cookies
from targeting.signals.nap import Nap
from targeting.signals.tcf import KNOWN_POLICY_VERSION

_LOG = logging.getLogger(__name__)

LEAST_BUDGET_S = 0.002
"""With less time left (seconds) the store is not asked."""

_UNREADABLE = Reason.SIGNAL_UNREADABLE.bit


class Decider:
    """Decides batches of requests. Used by one thread, which owns the store's connection."""

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
    ) -> list["Decided"]:
        """Decide, waiting for the store no longer than the budget (seconds), by a rulebook or the one in force.

        Gives one decision a request, in their order. A fault of ours limits whom it is about, and nobody else.
        """
        if not requests:
            return []
        rulebook, deadline_s = rulebook or self.rulebook(), time.monotonic() + budget_s
        try:
            decided = self._together(requests, budget_s, rulebook)
        except Exception as problem:  # noqa: BLE001  # an ad is always served: a fault of ours only ever limits
            note(problem)
            decided = self._divided(requests, deadline_s, rulebook)
        self._metrics.count_decisions([each.decision for each in decided])
        return decided

    def _together(self, requests: Sequence[AdRequest], budget_s: float, rulebook: Rulebook) -> list["Decided"]:
        planned = plan(requests, rulebook.policy)
        decisions = decide(planned, self._fetch(planned, budget_s), self._naps(planned), rulebook, time.time())
        # Strictly, so that nobody could ever get the answer of the next.
        decided = [
            Decided(decision, response)
            for _, decision, response in zip(requests, decisions, wire.responses(decisions), strict=True)
        ]
        self.notice(planned.items)
        return decided

    def _divided(self, requests: Sequence[AdRequest], deadline_s: float, rulebook: Rulebook) -> list["Decided"]:
        """Decide by halves: what is wrong with somebody's records is not the batch-mates' fault."""
        if len(requests) == 1:
            return [self._alone(requests[0], deadline_s, rulebook)]
        decided: list[Decided] = []
        middle = len(requests) // 2
        for half in (requests[:middle], requests[middle:]):
            try:
                decided += self._together(half, deadline_s - time.monotonic(), rulebook)
            except Exception:  # noqa: BLE001  # the same fault, which was noted; it is looked for further down
                decided += self._divided(half, deadline_s, rulebook)
        return decided

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
        if budget_s < LEAST_BUDGET_S:
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

    def _alone(self, request: AdRequest, deadline_s: float, rulebook: Rulebook) -> "Decided":
        planned, reason = _planned_alone(request, rulebook.policy), Reason.STORE_UNAVAILABLE
        try:
            self.notice(planned.items)
            stored = self._fetch(planned, deadline_s - time.monotonic())
            reason = Reason.RECORD_UNREADABLE
            return _serialised(decide(planned, stored, self._naps(planned), rulebook, time.time()))
        except Exception as problem:  # noqa: BLE001  # as above
            note(problem)
            return _serialised(decide(planned, reason, [()], rulebook, time.time()))


class Decided(NamedTuple):
    """A decision, and the same as a serialised ``DecideResponse``."""

    decision: Decision
    response: bytes


def _serialised(decisions: list[Decision]) -> Decided:
    ((decision, response),) = zip(decisions, wire.responses(decisions), strict=True)
    return Decided(decision, response)


def _planned_alone(request: AdRequest, policy: Policy) -> Plan:
    try:
        return plan([request], policy)
    except Exception as problem:  # noqa: BLE001  # as above: what cannot even be looked at limits as unreadable
        note(problem)
        return plan([request._replace(cookie_header="", signals=Signals(unreadable=("request",)))], policy)
