"""Portions of several calls that are decided together."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

from server.decisions.decider import Decided, Stored
from server.decisions.jobs import Portion
from targeting.decision import Plan, PlannedRequest, Rulebook
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords


class Group(NamedTuple):
    """Portions, the plan of all their requests in order, and the rulebook that decides them."""

    portions: Sequence[Portion]
    planned: Plan
    rulebook: Rulebook

    @classmethod
    def of(cls, portions: Sequence[Portion], planned: Plan, rulebook: Rulebook) -> "Group":
        """Return the group of portions whose callers are all there."""
        return cls(portions, planned, rulebook).where(lambda portion: not portion.job.call.gone)

    @property
    def is_own(self) -> bool:
        """Whether only the service itself asks, so that no metric of decisions counts it."""
        return all(portion.job.call.caller.is_own for portion in self.portions)

    def where(self, chosen: Callable[[Portion], bool]) -> "Group":
        """Return the group of the chosen portions alone."""
        if all(map(chosen, self.portions)):
            return self
        kept = [(portion, items) for portion, items in self._parts() if chosen(portion)]
        planned = Plan.of([item for _, items in kept for item in items])
        return Group([portion for portion, _ in kept], planned, self.rulebook)

    def records_of(self, part: "Group", stored: Stored) -> Stored:
        """Return what was fetched for a part of this group."""
        if part is self or isinstance(stored, Reason):
            return stored
        kept = {id(portion) for portion in part.portions}
        records: list[StoredRecords] = []
        position = 0
        for portion, items in self._parts():
            count = sum(len(item.subjects) for item in items)
            if id(portion) in kept:
                records += stored[position : position + count]
            position += count
        return records

    def hand_out(self, decided: Sequence[Decided]) -> None:
        """Hand each call the decisions on its own requests."""
        decisions = iter(decided)
        for portion in self.portions:
            portion.job.accept(list(islice(decisions, len(portion.requests))))

    def without_own(self, decided: Sequence[Decided]) -> tuple[Sequence[PlannedRequest], Sequence[Decided]]:
        """Return requests and decisions, but not those of the service's own calls, which no metric counts."""
        own = [portion.job.call.caller.is_own for portion in self.portions for _ in portion.requests]
        if not any(own):
            return self.planned.items, decided
        others = [
            pair for pair, is_own in zip(zip(self.planned.items, decided, strict=True), own, strict=True) if not is_own
        ]
        return [item for item, _ in others], [decision for _, decision in others]

    def _parts(self) -> list[tuple[Portion, list[PlannedRequest]]]:
        items = iter(self.planned.items)
        return [(portion, list(islice(items, len(portion.requests)))) for portion in self.portions]
