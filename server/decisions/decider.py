"""From requests to decisions and their bytes: plan, one fetch for all of them, decide, serialise.

Whatever goes wrong, every request is decided: limited, with the reason. What is wrong with one is nobody else's fault.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from server.choices.signal_opt_outs import LASTING_REASONS, ignore_signal_opt_out
from server.errors import note
from server.messages import wire
from server.metrics.metrics import Metrics
from server.store.ports import DecisionStore, StoreError, StoreTimeout
from targeting.decision import Decision, Item, Plan, Rulebook, decide, plan
from targeting.explain import Evidence
from targeting.model import AdRequest, Signals, Subject
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import Cookies
from targeting.signals.nap import Nap
from targeting.signals.tcf.read import KNOWN_POLICY_VERSION

_LOG = logging.getLogger(__name__)

LEAST_BUDGET_S = 0.002
"""With less time left (seconds) the store is not asked."""

_UNREADABLE = Reason.SIGNAL_UNREADABLE.bit
_NOT_LOOKED_AT = Signals(gdpr_applies=True, unreadable=("request",))
"""Of signals that cannot even be looked at: in doubt the GDPR applies, and nobody has a basis."""


class Decider:
    """Decides batches of requests. Used by one thread, which owns the store's connection."""

    def __init__(
        self,
        store: DecisionStore,
        rulebook: Callable[[], Rulebook],
        open_nap: Callable[[str], Nap | None],
        metrics: Metrics,
        on_signal_opt_out: Callable[[AdRequest, Cookies], None] = ignore_signal_opt_out,
    ) -> None:
        self.rulebook = rulebook
        self._store = store
        self._open_nap = open_nap
        self._metrics = metrics
        self._on_signal_opt_out = on_signal_opt_out
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
        planned = _planned(requests, rulebook.policy)
        found = _Found(planned, self._fetch(planned.subjects, deadline_s - time.monotonic()))
        try:
            decided = self._decide_all(found, rulebook)
        except Exception as problem:  # noqa: BLE001  # an ad is always served: a fault of ours only ever limits
            note(problem)
            decided = self._decide_halves(found, rulebook)
        self.notice(planned.items)
        self._metrics.count_decisions([each.decision for each in decided])
        return decided

    def _decide_all(self, found: "_Found", rulebook: Rulebook) -> list["Decided"]:
        planned, stored = found
        decisions = decide(planned, stored, self._naps(planned.items), rulebook, time.time())
        return _serialised(planned.items, decisions)

    def _decide_halves(self, found: "_Found", rulebook: Rulebook) -> list["Decided"]:
        """Find out by halves whose the fault is that was noted, and limit that request."""
        if len(found.planned.items) == 1:
            return [_limited(found.planned.items[0], rulebook)]
        decided: list[Decided] = []
        for half in found.halves():
            try:
                decided += self._decide_all(half, rulebook)
            except Exception:  # noqa: BLE001  # it was noted, and is looked for further
                decided += self._decide_halves(half, rulebook)
        return decided

    def evidence(self, request: AdRequest, budget_s: float) -> Evidence:
        """Decide one request and keep what it was decided from; nothing is counted or written."""
        rulebook = self.rulebook()
        planned = plan([request], rulebook.policy)
        stored = self._fetch(planned.subjects, budget_s)
        decision = decide(planned, stored, self._naps(planned.items), rulebook, time.time())[0]
        return Evidence(planned.items[0], stored, decision, rulebook.policy)

    def notice(self, items: Iterable[Item]) -> None:
        """Count what could not be read, and hand on what may be worth storing; the others cost two comparisons."""
        for item in items:
            try:
                self._notice(item)
            except Exception as problem:  # noqa: BLE001  # what is only noticed changes no decision
                note(problem)

    def _notice(self, item: Item) -> None:
        mask, consent = item.findings.mask, item.findings.consent
        for string in consent.tc_strings:
            if string.policy_is_newer:
                self._notice_policy(string.policy_version)
        if mask & LASTING_REASONS:
            self._on_signal_opt_out(item.request, item.cookies)
        if mask & _UNREADABLE:
            for signal in (*consent.unreadable, *(["request"] if item.request.signals.unreadable else [])):
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

    def _fetch(self, subjects: Sequence[Subject], budget_s: float) -> Sequence[StoredRecords] | Reason:
        if not subjects:
            return ()
        if budget_s < LEAST_BUDGET_S:
            return Reason.STORE_TIMEOUT
        started = time.perf_counter()
        try:
            return self._store.fetch(subjects, budget_s)
        except StoreTimeout:
            self._metrics.count_store_error("fetch", "timeout")
            return Reason.STORE_TIMEOUT
        except Exception as problem:  # noqa: BLE001  # as for the store, so for a fault of ours in asking it
            if not isinstance(problem, StoreError):
                note(problem)
            self._metrics.count_store_error("fetch", "unavailable")
            return Reason.STORE_UNAVAILABLE
        finally:
            self._metrics.observe_fetch(time.perf_counter() - started)

    def _naps(self, items: Iterable[Item]) -> list[Sequence[Nap]]:
        """Open the NAP cookies of requests that nothing has limited yet; the others' are not even looked at."""
        return [
            [nap for text in item.cookies.naps if (nap := self._open_nap(text)) is not None]
            if item.subjects and item.cookies.naps
            else ()
            for item in items
        ]


class Decided(NamedTuple):
    """A decision, and the same as a serialised ``DecideResponse``."""

    decision: Decision
    response: bytes


class _Found(NamedTuple):
    """Requests after the first look, and the records of all their subjects in order, or why there are none."""

    planned: Plan
    stored: Sequence[StoredRecords] | Reason

    def halves(self) -> tuple["_Found", "_Found"]:
        """Divide; of at least two requests neither half is empty."""
        items, stored = self.planned.items, self.stored
        first, second = Plan.of(items[: len(items) // 2]), Plan.of(items[len(items) // 2 :])
        if isinstance(stored, Reason):
            return _Found(first, stored), _Found(second, stored)
        at = len(first.subjects)
        return _Found(first, stored[:at]), _Found(second, stored[at:])


def _planned(requests: Sequence[AdRequest], policy: Policy) -> Plan:
    """Take the first look; what cannot even be looked at limits as unreadable."""
    try:
        return plan(requests, policy)
    except Exception as problem:  # noqa: BLE001  # as above
        note(problem)
        return Plan.of([_item(request, policy) for request in requests])


def _item(request: AdRequest, policy: Policy) -> Item:
    try:
        return plan([request], policy).items[0]
    except Exception:  # noqa: BLE001  # it was noted
        return _item_unread(request, policy)


def _item_unread(request: AdRequest, policy: Policy) -> Item:
    """Look at a request without what a browser or a consent tool wrote."""
    return plan([request._replace(cookie_header="", signals=_NOT_LOOKED_AT)], policy).items[0]


def _limited(item: Item, rulebook: Rulebook) -> Decided:
    """Limit a request with whose records something is wrong, or with what else is in it."""
    try:
        return _limited_by_records(item, rulebook)
    except Exception:  # noqa: BLE001  # it was noted
        bare = item.request._replace(networks=(), ip="", accept_language="", client_language="")
        return _limited_by_records(_item_unread(bare, rulebook.policy), rulebook)


def _limited_by_records(item: Item, rulebook: Rulebook) -> Decided:
    decisions = decide(Plan.of([item]), Reason.RECORD_UNREADABLE, [()], rulebook, time.time())
    return _serialised([item], decisions)[0]


def _serialised(items: Sequence[Item], decisions: Sequence[Decision]) -> list[Decided]:
    # As many as there are requests, or none at all: a missing one would give everybody the answer of the next.
    answers = zip(items, decisions, wire.responses(decisions), strict=True)
    return [Decided(decision, response) for _, decision, response in answers]
