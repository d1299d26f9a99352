"""The metrics of consent strings that a decision reads in part, or not at all."""

from enum import StrEnum

from prometheus_client import Counter
from prometheus_client.registry import CollectorRegistry


class StringAge(StrEnum):
    """When a TC string was updated: from 2026-03-01 on it must disclose its vendors (TCF 2.3)."""

    BEFORE_2026_03 = "before_2026_03"
    SINCE_2026_03 = "since_2026_03"


class ConsentCounts:
    """``adtargeting_consent_given_up_total`` and ``adtargeting_tcf_undisclosed_total``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._given_up = Counter(
            "adtargeting_consent_given_up",
            "Consent strings that were not decoded because that would take too long",
            registry=registry,
        )
        undisclosed = Counter(
            "adtargeting_tcf_undisclosed",
            "TC strings without disclosed vendors, by when they were last updated",
            ["age"],
            registry=registry,
        )
        self._undisclosed = {age: undisclosed.labels(age.value) for age in StringAge}

    def count_given_up(self, number: int) -> None:
        """Count strings that were given up."""
        self._given_up.inc(number)

    def count_undisclosed(self, age: StringAge) -> None:
        """Count a TC string that discloses no vendors."""
        self._undisclosed[age].inc()
