"""The decision itself: plan, decide, serialise. Knows no gate and no store; faults of ours pass through it unguarded.

``server.decisions.containment`` stands around it wherever an ad must be served whatever happens.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from server.canaries.guard import NO_GUARD, CanaryGuard
from server.messages import wire
from targeting.decision import Decision, Plan, PlannedRequest, Rulebook, decide, plan
from targeting.model import AdRequest
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.batch import DecidedBatch
from targeting.signals.nap import Nap

Stored = Sequence[StoredRecords] | Reason
"""The records of all subjects of a plan, in order, or the reason why there are none."""


class Decided(NamedTuple):
    """A decision, and the same as a serialised ``DecideResponse``."""

    decision: Decision
    response: bytes


class Decider:
    """Decides batches of requests by the rulebook that it is given. Stateless; threads may share one."""

    def __init__(
        self,
        rulebook: Callable[[], Rulebook],
        open_nap: Callable[[str], Nap | None],
        canaries: CanaryGuard = NO_GUARD,
        on_decided: Callable[[DecidedBatch], None] | None = None,
    ) -> None:
        """``on_decided`` is told of every batch, and must not raise."""
        self.rulebook = rulebook
        self._open_nap = open_nap
        self._canaries = canaries
        self._on_decided = on_decided

    def plan(self, requests: Sequence[AdRequest], policy: Policy) -> Plan:
        """Read the signals of every request, and say whose records are needed."""
        return self._canaries.withhold(plan(requests, policy, time.time()))

    def decide(self, planned: Plan, stored: Stored, rulebook: Rulebook) -> list[Decided]:
        """Decide every request of a plan, in order."""
        naps, now_s = self._naps(planned.items), time.time()
        decisions = decide(planned, stored, naps, rulebook, now_s)
        # As many answers as requests, or none at all: a missing one would shift every answer after it.
        answers = zip(planned.items, decisions, wire.responses(decisions), strict=True)
        decided = [Decided(decision, response) for _, decision, response in answers]
        if self._on_decided is not None:
            self._on_decided(DecidedBatch(planned, stored, naps, decisions, rulebook.policy, now_s))
        return decided

    def _naps(self, items: Iterable[PlannedRequest]) -> list[Sequence[Nap]]:
        """Open the NAP cookies of requests that nothing has limited yet; those of the others are not even read."""
        return [
            [nap for text in item.cookies.naps if (nap := self._open_nap(text)) is not None]
            if item.subjects and item.cookies.naps
            else ()
            for item in items
        ]
