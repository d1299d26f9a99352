"""The verdict of another policy on a decision that was made: the judge's own rules, and never a grant.

Invariant: nothing here mints, holds or reads a grant, a profile or a feature, so no answer can come from it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from targeting.consent import RequestConsent, in_gdpr_scope, read_consent
from targeting.decision import PlannedRequest, state
from targeting.judge import judge_signals, read_stored_choices, stored_reasons
from targeting.model import LimitedFeatures
from targeting.policy.policy import Policy
from targeting.reasons import NO_REASONS, Reason, Reasons, reasons_of
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.answers import NetworkAnswers, network_answers
from targeting.signals.nap import Nap
from targeting.subjects.request_subjects import subjects_of

NO_RESTRICTION = reasons_of(Reason.NO_PROFILE, Reason.NO_SUBJECT)
"""Reasons of limited features that restrict nothing: nothing is known that could be used."""

_UNREADABLE = Reason.RECORD_UNREADABLE.bit


class DecidedRequest(NamedTuple):
    """What one decision was made from, and what it said; ``stored`` is empty where the store was not asked."""

    item: PlannedRequest
    stored: Sequence[StoredRecords] | Reason
    naps: Sequence[Nap]
    limited: LimitedFeatures
    reasons: Reasons

    def __repr__(self) -> str:
        """Show nothing about the person."""
        return f"DecidedRequest({len(self.item.request.networks)} networks)"


class OtherVerdict(NamedTuple):
    """What a policy says about a request: why it restricts, and the networks' answers.

    ``asks_store`` is whether it depends on records that were not asked for.
    """

    reasons: Reasons = NO_REASONS
    asks_store: bool = False
    networks: tuple[NetworkAnswers, ...] = ()


Reread = Callable[[PlannedRequest, Policy], RequestConsent]
"""Returns what the consent strings of a request say under another policy."""


def verdict_of(decided: DecidedRequest, policy: Policy) -> OtherVerdict:
    """Return the decision's own verdict; ``policy`` is the one that decided it."""
    networks = network_answers(decided.item, decided.limited, policy)
    return OtherVerdict(Reasons(decided.reasons & ~NO_RESTRICTION), networks=networks)


def reread_consent(item: PlannedRequest, policy: Policy) -> RequestConsent:
    """Judge the strings that were read already; read them again only where the GDPR applies to more than before."""
    request, consent, countries = item.request, item.verdict.consent, item.cookies.countries
    applies = in_gdpr_scope(request, countries, policy)
    if applies and not consent.gdpr:
        return read_consent(request, countries, policy)
    return (consent if applies or not consent.gdpr else consent.outside_the_gdpr()).under(policy)


def judge_again(decided: DecidedRequest, policy: Policy, today: int, reread: Reread = reread_consent) -> OtherVerdict:
    """Judge by another policy; ``today`` is ``targeting.age.person_day``."""
    item = judged_item(decided.item, policy, today, reread)
    reasons, asks_store = other_reasons(decided, item, policy, today)
    return OtherVerdict(reasons, asks_store, network_answers(item, decided.limited, policy))


def judged_item(item: PlannedRequest, policy: Policy, today: int, reread: Reread = reread_consent) -> PlannedRequest:
    """Return a request with the verdict of another policy on its signals."""
    verdict = judge_signals(item.request, item.cookies, reread(item, policy), policy, today)
    return PlannedRequest(item.request, item.cookies, verdict, item.subjects)


def other_reasons(decided: DecidedRequest, item: PlannedRequest, policy: Policy, today: int) -> tuple[Reasons, bool]:
    """Return why another policy restricts a request, and whether that depends on records that were not asked for.

    ``item`` has that policy's verdict on the signals.
    """
    if item.verdict.reasons:
        return item.verdict.reasons, False
    stored = decided.stored
    if isinstance(stored, Reason):
        return stored.bit, False
    if not stored:
        return NO_REASONS, bool(decided.item.verdict.reasons and subjects_of(item.request, item.cookies))
    choices = read_stored_choices(stored)
    reasons = stored_reasons(stored, choices, state(item, choices, decided.naps, policy, today))
    # A profile that cannot be read is found by reading it, which only a grant allows.
    return Reasons(reasons | decided.reasons & _UNREADABLE), False
