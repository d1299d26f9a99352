"""The policy in the shadow: it judges decisions that were made, is counted, and changes nothing.

Invariant: it is handed decisions and returns nothing; no answer, record or cookie can come from it.
"""

from collections.abc import Callable

from server.decisions.sampling import EveryNth
from server.metrics.shadow_counts import ShadowCounts, outcome_of
from targeting.age import person_day
from targeting.policy.policy import Policy
from targeting.rejudging.batch import DecidedBatch
from targeting.rejudging.policy_pair import PolicyPair


class Shadow:
    """Judges a sample of decisions again. Used on the thread of the decisions."""

    def __init__(self, policy: Callable[[], Policy | None], counts: ShadowCounts, sample: EveryNth) -> None:
        """``policy`` returns the policy in the shadow, if there is one."""
        self._policy = policy
        self._counts = counts
        self._sample = sample
        self._pair: PolicyPair | None = None

    def observe(self, batch: DecidedBatch) -> None:
        """Judge what is sampled of a batch."""
        other = self._policy()
        if other is None:
            return
        pair = self._pair
        if pair is None or pair.current is not batch.policy or pair.other is not other:
            pair = self._pair = PolicyPair(batch.policy, other)
        today, judged = person_day(batch.now_s), 0
        for decided in batch.requests():
            if self._sample.takes():
                judged += 1
                if changes := pair.changes(decided, today):
                    self._counts.count_changes({(outcome_of(change), change.reason) for change in changes})
        self._counts.count_judged(judged)
