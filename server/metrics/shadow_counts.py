"""The metrics of the policy in the shadow: how many decisions it judged, and what it would have changed."""

from enum import StrEnum
from typing import Final

from prometheus_client import Counter, Gauge
from prometheus_client.registry import CollectorRegistry

from targeting.policy.directions import Effect
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.rejudging.changes import Change
from targeting.rejudging.policy_pair import CHANGEABLE


class Outcome(StrEnum):
    """What a policy in the shadow would do to a decision."""

    TIGHTER = "tighter"
    LOOSER = "looser"
    WOULD_ASK_STORE = "would_ask_store"
    """Looser, unless the records that the decision did not ask for restrict it."""


_OUTCOMES: Final = {Effect.TIGHTENS: Outcome.TIGHTER, Effect.LOOSENS: Outcome.LOOSER}


class ShadowCounts:
    """``adtargeting_shadow_total``, ``adtargeting_shadow_judged_total`` and ``adtargeting_shadow_policy_info``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._info = Gauge("adtargeting_shadow_policy_info", "The policy in the shadow", ["version"], registry=registry)
        self._judged = Counter(
            "adtargeting_shadow_judged", "Decisions that the policy in the shadow judged", registry=registry
        )
        changed = Counter(
            "adtargeting_shadow",
            "Decisions that the policy in the shadow would change, by each reason",
            ["change", "reason"],
            registry=registry,
        )
        self._changed = {
            (outcome, reason): changed.labels(outcome.value, reason.name.lower())
            for outcome in Outcome
            for reason in CHANGEABLE
        }

    def use_policy(self, policy: Policy | None) -> None:
        """Name the policy in the shadow, if there is one."""
        self._info.clear()
        if policy is not None:
            self._info.labels(policy.version).set(1)

    def count_judged(self, decisions: int) -> None:
        """Count decisions that were judged again."""
        self._judged.inc(decisions)

    def count_changes(self, outcomes: set[tuple[Outcome, Reason]]) -> None:
        """Count one decision that would change."""
        for outcome in outcomes:
            self._changed[outcome].inc()


def outcome_of(change: Change) -> Outcome:
    """Return what a change is counted as."""
    return Outcome.WOULD_ASK_STORE if change.asks_store else _OUTCOMES[change.effect]
