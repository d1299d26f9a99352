"""Everything that one decision is made from, as one value that can be changed and decided again.

Invariant: it is decided by the decision itself (``targeting.decision``), never by a copy of its rules.
"""

from collections.abc import Mapping
from typing import NamedTuple

from targeting.decision import Rulebook, decide, plan
from targeting.model import AdRequest, Subject
from targeting.records.stored_records import StoredRecords
from targeting.signals.nap import Nap

_NO_OWNER = bytes(16)


class Situation(NamedTuple):
    """A request, the records of every subject it may name, and its decrypted NAP cookies."""

    request: AdRequest
    records: Mapping[Subject, StoredRecords]
    naps: tuple[Nap, ...] = ()

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return f"Situation({len(self.records)} subjects)"

    def records_of(self, subject: Subject) -> StoredRecords:
        """Return what is stored of a subject."""
        return self.records.get(subject) or StoredRecords(subject.kind, _NO_OWNER)

    def subjects(self, rulebook: Rulebook, now_s: float) -> tuple[Subject, ...]:
        """Return whose records the decision would read; none where the request alone limits."""
        return plan([self.request], rulebook.policy, now_s).items[0].subjects

    def is_behavioural(self, rulebook: Rulebook, now_s: float) -> bool:
        """Decide, at a time in Unix seconds, and return whether the answer is behavioural."""
        planned = plan([self.request], rulebook.policy, now_s)
        fetched = [self.records_of(subject) for subject in planned.subjects]
        naps = self.naps if planned.subjects else ()
        (decision,) = decide(planned, fetched, [naps], rulebook, now_s)
        return decision.behavioural is not None
