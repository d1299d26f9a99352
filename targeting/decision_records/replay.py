"""Recorded decisions judged again by another policy: what it would loosen, what it would tighten.

A loosening that depends on something not recorded counts as one, and names it. Equal records are judged once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from targeting.decision_records.ages import TODAY
from targeting.decision_records.form import DecisionRecord, NetworkFacts
from targeting.decision_records.rebuilt_request import RebuiltRequest
from targeting.policy.directions import Effect
from targeting.policy.policy import Policy
from targeting.reasons import Reason, Reasons, reasons_of
from targeting.rejudging.answers import NetworkAnswers
from targeting.rejudging.changes import Change, changes_between
from targeting.rejudging.verdict import NO_RESTRICTION, OtherVerdict, judge_again

STORED_RECORDS = "the stored records, which were not asked for"
_AGES = "an age between the limits of the policy that recorded it"


class ReplayedChange(NamedTuple):
    """One change of recorded decisions. ``unrecorded`` names what it depends on and is not recorded; empty: nothing.

    ``country`` is that of residence, else that of the address; empty where it is unknown. ``network`` is empty where
    the decision itself changes. ``reason`` is None where no single decision has one.
    """

    name: str
    effect: Effect
    reason: Reason | None = None
    country: str = ""
    network: str = ""
    unrecorded: str = ""


class Replay:
    """Recorded decisions, one after the other, and what a policy changes about them."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.decisions = Counter[str]()
        """How many there were, by the version of the policy that decided them."""
        self.asked_unlisted = Counter[str]()
        """How many of them asked about networks that their policy does not list."""
        self.changes = Counter[ReplayedChange]()
        """How many decisions each change concerns."""
        self._groups = Counter[DecisionRecord]()

    def add(self, record: DecisionRecord) -> None:
        """Take in one record."""
        self._groups[replace(record, hour="2026-01-01T00Z", person=None, epoch="")] += 1

    def judge(self) -> None:
        """Judge what was taken in."""
        for record, count in self._groups.items():
            self.decisions[record.policy] += count
            if record.unlisted_networks:
                self.asked_unlisted[record.policy] += count
            for change in replayed(record, self.policy):
                self.changes[change] += count
        self._groups.clear()


def replayed(record: DecisionRecord, policy: Policy) -> set[ReplayedChange]:
    """Return what a policy changes about one recorded decision."""
    before = recorded_verdict(record)
    lenient, strict = (RebuiltRequest(record, lenient=lenient) for lenient in (True, False))
    at_most, at_least = (
        set(changes_between(before, judge_again(rebuilt.decided, policy, TODAY, rebuilt.reread)))
        for rebuilt in (lenient, strict)
    )
    limited = lenient.decided.limited
    country = limited.country or limited.ip_country
    unrecorded = lenient.unknowns | strict.unknowns
    return {
        ReplayedChange(change.name, change.effect, change.reason, country, change.network, missing)
        for change, missing in _all_changes(at_most, at_least, unrecorded)
    }


def recorded_verdict(record: DecisionRecord) -> OtherVerdict:
    """Return what the policy that decided said."""
    reasons = Reasons(reasons_of(*(Reason[name] for name in record.reasons)) & ~NO_RESTRICTION)
    return OtherVerdict(reasons, networks=tuple([_answers(network) for network in record.networks]))


def _answers(network: NetworkFacts) -> NetworkAnswers:
    return NetworkAnswers(
        name=network.id.casefold(),
        listed=True,
        contact=network.contact,
        fields=network.fields,
        user_id=network.user_id,
        buyeruid=network.buyeruid,
        precise_position=network.precise_position,
        ipv4_bits=network.ipv4_bits,
        ipv6_bits=network.ipv6_bits,
        reasons=reasons_of(*(Reason[name] for name in network.reasons)),
    )


def _all_changes(lenient: set[Change], strict: set[Change], unknowns: Iterable[str]) -> Iterator[tuple[Change, str]]:
    """Yield every change, with what is not recorded where only one of the two rebuilt requests shows it."""
    for change in lenient | strict:
        if change.asks_store:
            yield change, STORED_RECORDS
        elif change in lenient and change in strict:
            yield change, ""
        else:
            yield change, ", ".join(sorted(unknowns)) or _AGES
