"""One check of an explained decision, and what a decision was made from."""

from collections.abc import Sequence
from typing import NamedTuple

from targeting.decision import Decision, PlannedRequest
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords

Fields = tuple[tuple[str, str], ...]


class Check(NamedTuple):
    """One check. ``reason`` is None where it limits nothing; ``fields`` are the decoded ones that mattered."""

    signal: str
    present: bool
    value_class: str
    said: str
    rule: str
    reason: Reason | None = None
    fields: Fields = ()


class DecisionTrace(NamedTuple):
    """What a decision was made from: the planned request, the records of its subjects or the reason why there are none.

    ``stored`` is there also where the request alone limits, and the decision did not depend on it. ``now_s`` is Unix
    seconds.
    """

    item: PlannedRequest
    stored: Sequence[StoredRecords] | Reason
    decision: Decision
    policy: Policy
    now_s: float
