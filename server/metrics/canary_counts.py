"""The metrics of leak canaries."""

from enum import StrEnum

from prometheus_client import Counter, Gauge
from prometheus_client.registry import CollectorRegistry


class Outcome(StrEnum):
    """What an answer about a canary showed."""

    HELD = "held"
    """What it must be."""
    LEAKED = "leaked"
    """A profile went out, or the control was limited, so none would."""
    UNANSWERED = "unanswered"
    """No answer, or one that shows nothing: limited for another reason than the canary's, as by a store that failed."""


class CanaryCounts:
    """``adtargeting_canary_leaks_total``, ``adtargeting_canary_answers_total``, ``adtargeting_canaries_enabled``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._leaks = Counter(
            "adtargeting_canary_leaks",
            "Answers about leak canaries that were not what they must be; any is an incident",
            registry=registry,
        )
        answers = Counter(
            "adtargeting_canary_answers",
            "Calls that asked about leak canaries, by outcome",
            ["outcome"],
            registry=registry,
        )
        self.enabled = Gauge("adtargeting_canaries_enabled", "1 where leak canaries are asked about", registry=registry)
        self._answers = {outcome: answers.labels(outcome.value) for outcome in Outcome}

    def count(self, outcome: Outcome, number: int = 1) -> None:
        """Count calls."""
        self._answers[outcome].inc(number)
        if outcome is Outcome.LEAKED:
            self._leaks.inc(number)
