"""The metric of decision records."""

from typing import Literal, TypeAlias, get_args

from prometheus_client import Counter
from prometheus_client.registry import CollectorRegistry

Outcome: TypeAlias = Literal["written", "rare", "dropped", "failed"]


class RecordCounts:
    """``adtargeting_decision_records_total``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        records = Counter(
            "adtargeting_decision_records", "Sampled decisions, by outcome", ["outcome"], registry=registry
        )
        self._outcomes = {outcome: records.labels(outcome) for outcome in get_args(Outcome)}

    def count(self, outcome: Outcome, records: int = 1) -> None:
        """Count records."""
        self._outcomes[outcome].inc(records)
