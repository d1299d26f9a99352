"""The metrics of leak canaries."""

from enum import StrEnum

from prometheus_client import Counter
from prometheus_client.registry import CollectorRegistry


class Outcome(StrEnum):
    """What an answer about a canary showed."""

    HELD = "held"
    """What it must be."""
    LEAKED = "leaked"
    """A profile went out, or the control was limited, so none would."""
    UNANSWERED = "unanswered"
    """No answer, or the store did not serve the control."""


class CanaryCounts:
    """``adtargeting_canary_leaks_total`` and ``adtargeting_canary_answers_total``."""

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
        self._answers = {outcome: answers.labels(outcome.value) for outcome in Outcome}

    def count(self, outcome: Outcome, number: int = 1) -> None:
        """Count calls."""
        self._answers[outcome].inc(number)
        if outcome is Outcome.LEAKED:
            self._leaks.inc(number)
