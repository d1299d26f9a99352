"""A batch of decisions with everything that they were made from, one request after the other."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from targeting.canaries.people import CALLER_NAME
from targeting.decision import Decision, Plan
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.verdict import DecidedRequest
from targeting.signals.nap import Nap


class DecidedBatch(NamedTuple):
    """The arguments of ``targeting.decision.decide``, and its decisions; ``now_s`` is Unix seconds."""

    planned: Plan
    fetched: Sequence[StoredRecords] | Reason
    naps: Sequence[Sequence[Nap]]
    decisions: Sequence[Decision]
    policy: Policy
    now_s: float

    def __repr__(self) -> str:
        """Show how many there are, and nothing about a person."""
        return f"DecidedBatch({len(self.decisions)} decisions)"

    def requests(self) -> Iterator[DecidedRequest]:
        """Return what each decision was made from, in order; those on leak canaries are no one's."""
        return (decided for decided, _ in self.decided())

    def decided(self) -> Iterator[tuple[DecidedRequest, Decision]]:
        """Return the same, each with its decision."""
        start = 0
        for item, naps, decision in zip(self.planned.items, self.naps, self.decisions, strict=True):
            stored: Sequence[StoredRecords] | Reason = ()
            if item.subjects:
                end = start + len(item.subjects)
                stored = self.fetched if isinstance(self.fetched, Reason) else self.fetched[start:end]
                start = end
            if item.request.caller != CALLER_NAME:
                yield DecidedRequest(item, stored, naps, decision.limited, decision.reasons), decision
