"""What another policy loosens that no record could show: settings beside the judge and the networks' answers.

Each counts as a loosening of every decision that it may concern, by the name that ``check-policy --against`` gives it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from targeting.decision_records.replay import Replay, ReplayedChange
from targeting.policy.comparison import Difference, compare_policies
from targeting.policy.directions import Effect
from targeting.policy.policy import Policy

NO_POLICY: Final = "policy"
"""The name of a loosening that may be anything, as the file lacks the policy that decided."""

_SHOWN_TABLES: Final = frozenset({"children", "consent", "gdpr", "masks", "rules"})
_SHOWN_KEYS: Final = frozenset({"signals.honour_do_not_track"})
_NOT_SHOWN_OF_NETWORKS: Final = ("bidder", "parameters")
_SETTING: Final = "this setting"
_UNLISTED: Final = "which unlisted networks were asked for"
_POLICY: Final = "the policy that decided, as its line is missing"


def unrecorded_changes(replay: Replay, policies: dict[str, Policy]) -> Counter[ReplayedChange]:
    """Return the loosenings, with the number of decisions; ``policies`` are those that the file tells of."""
    found = Counter[ReplayedChange]()
    for version, decisions in replay.decisions.items():
        old = policies.get(version)
        if old is None:
            found[ReplayedChange(NO_POLICY, Effect.LOOSENS, unrecorded=_POLICY)] += decisions
            continue
        unlisted = replay.asked_unlisted[version]
        for name, unrecorded in _unrecorded(old, replay.policy, has_unlisted=unlisted > 0):
            change = ReplayedChange(name, Effect.LOOSENS, unrecorded=unrecorded)
            found[change] += unlisted if unrecorded == _UNLISTED else decisions
    return found


def _unrecorded(old: Policy, new: Policy, *, has_unlisted: bool) -> Iterator[tuple[str, str]]:
    added = [network.id for name, network in new.by_id.items() if name not in old.by_id]
    for difference in compare_policies(old, new):
        if difference.effect is not Effect.LOOSENS:
            continue
        table, _, rest = difference.name.partition(".")
        if table == "networks":
            is_added = any(rest.startswith(f"{network}.") for network in added)
            if rest.rpartition(".")[2] in _NOT_SHOWN_OF_NETWORKS:
                yield difference.name, _SETTING
            elif has_unlisted and is_added:
                yield difference.name, _UNLISTED
        elif has_unlisted and _concerns_unlisted(difference):
            yield difference.name, _UNLISTED
        elif table not in _SHOWN_TABLES and difference.name not in _SHOWN_KEYS:
            yield difference.name, _SETTING


def _concerns_unlisted(difference: Difference) -> bool:
    """Whether it may change what a network receives that the policy does not list: contact and a masked address."""
    if difference.name.startswith("rules."):
        return isinstance(difference.old, tuple) and "contact" in difference.old
    return difference.name.startswith("masks.")
