"""Containment: a fault of ours limits the request that it is about, and no other. An ad is always served.

The only place of this room with blanket clauses. A fault in planning limits the request as unreadable; one in deciding
is narrowed down by halves, and the request that has it is limited; one in what is only observed changes nothing; one
anywhere else refuses its own calls with an opaque id.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from server.decisions.decider import Decided, Decider, Stored
from server.errors import note, refusal_of
from server.gate.port import Refusal
from server.messages import wire
from targeting.decision import Plan, PlannedRequest, Rulebook, decide, plan
from targeting.model import AdRequest, Signals
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.rejudging.batch import DecidedBatch

T = TypeVar("T")

_UNREAD_SIGNALS = Signals(gdpr_applies=True, unreadable=("request",))
"""Stand for signals whose reading fails: when in doubt the GDPR applies, and there is no basis."""


class Observer(Protocol):
    """Takes note of one request; see ``server.decisions.signal_observer``."""

    def observe(self, item: PlannedRequest) -> None:
        """Take note of what one request shows."""
        ...


class ContainedDecider:
    """A ``Decider`` that answers for every request, whatever is wrong with one of them."""

    def __init__(self, decider: Decider) -> None:
        self.rulebook = decider.rulebook
        self._decider = decider

    def plan(self, requests: Sequence[AdRequest], policy: Policy) -> Plan:
        """Plan; a request whose signals cannot be read is planned as unreadable."""
        try:
            return self._decider.plan(requests, policy)
        except Exception as problem:  # noqa: BLE001  # only limits; see above
            note(problem)
            return Plan.of([self._item(request, policy) for request in requests])

    def decide(self, planned: Plan, stored: Stored, rulebook: Rulebook) -> list[Decided]:
        """Decide; a request that cannot be decided is limited."""
        try:
            return self._decider.decide(planned, stored, rulebook)
        except Exception as problem:  # noqa: BLE001  # only limits; see above
            note(problem)
            return self._decide_halves(_Found(planned, stored), rulebook)

    def _decide_halves(self, found: "_Found", rulebook: Rulebook) -> list[Decided]:
        """Narrow the fault that was noted down to its request, and limit that one."""
        if len(found.planned.items) == 1:
            return [_limited(found.planned.items[0], rulebook)]
        decided: list[Decided] = []
        for half in found.halves():
            try:
                decided += self._decider.decide(half.planned, half.stored, rulebook)
            except Exception:  # noqa: BLE001  # it was noted, and is narrowed down further
                decided += self._decide_halves(half, rulebook)
        return decided

    def _item(self, request: AdRequest, policy: Policy) -> PlannedRequest:
        try:
            return self._decider.plan([request], policy).items[0]
        except Exception:  # noqa: BLE001  # it was noted
            return _item_unread(request, policy)


class _Found(NamedTuple):
    """A plan and the records that were found for it."""

    planned: Plan
    stored: Stored

    def halves(self) -> tuple["_Found", "_Found"]:
        """Divide; with at least two requests neither half is empty."""
        items, stored = self.planned.items, self.stored
        first, second = Plan.of(items[: len(items) // 2]), Plan.of(items[len(items) // 2 :])
        if isinstance(stored, Reason):
            return _Found(first, stored), _Found(second, stored)
        middle = len(first.subjects)
        return _Found(first, stored[:middle]), _Found(second, stored[middle:])


def observe_all(observer: Observer, items: Iterable[PlannedRequest]) -> None:
    """Observe every request; a fault in it changes no decision."""
    for item in items:
        try:
            observer.observe(item)
        except Exception as problem:  # noqa: BLE001  # as the docstring says
            note(problem)


class BatchObserver(Protocol):
    """Takes note of the decisions that were made together."""

    def observe(self, batch: DecidedBatch) -> None:
        """Take note of a batch."""
        ...


def contained(observers: Sequence[BatchObserver]) -> Callable[[DecidedBatch], None] | None:
    """Return what shows batches to all observers, none of which can fail a decision; None without any."""

    def show(batch: DecidedBatch) -> None:
        for observer in observers:
            try:
                observer.observe(batch)
            except Exception as problem:  # noqa: BLE001  # as the docstring says
                note(problem)

    return show if observers else None


def attempt(work: Callable[[], T]) -> T | Refusal:
    """Return the result of the work, or the refusal that the table of errors has for its exception."""
    try:
        return work()
    except Exception as problem:  # noqa: BLE001  # the table of errors says what the caller may see of it
        return refusal_of(problem)


async def attempt_async(work: Awaitable[T]) -> T | Refusal:
    """Do as ``attempt`` does, with work that is awaited."""
    try:
        return await work
    except Exception as problem:  # noqa: BLE001  # as above
        return refusal_of(problem)


def _item_unread(request: AdRequest, policy: Policy) -> PlannedRequest:
    """Plan a request without what a browser or a consent tool wrote."""
    return plan([request._replace(cookie_header="", signals=_UNREAD_SIGNALS)], policy, time.time()).items[0]


def _limited(item: PlannedRequest, rulebook: Rulebook) -> Decided:
    """Limit a request whose records, or other contents, have a fault."""
    try:
        return _limited_by_records(item, rulebook)
    except Exception:  # noqa: BLE001  # it was noted
        bare = item.request._replace(networks=(), ip="", accept_language="", client_language="")
        return _limited_by_records(_item_unread(bare, rulebook.policy), rulebook)


def _limited_by_records(item: PlannedRequest, rulebook: Rulebook) -> Decided:
    (decision,) = decide(Plan.of([item]), Reason.RECORD_UNREADABLE, [()], rulebook, time.time())
    return Decided(decision, wire.responses([decision])[0])
