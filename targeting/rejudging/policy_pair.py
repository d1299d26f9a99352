"""The policy in force beside one that is only tried, with what is known of the two: what would change, cheaply.

Invariant: ``PolicyPair.changes`` returns exactly ``changes_between`` of the two verdicts. What two policies have in
common is not judged twice, and the answers for networks are kept by all that they depend on.
"""

from collections.abc import Sequence
from typing import Final

from targeting.consent import PURPOSE_BEHAVIOURAL, PURPOSE_CONTACT, RequestConsent
from targeting.decision import PlannedRequest
from targeting.networks import vendor_of
from targeting.policy.policy import Policy
from targeting.reasons import Reason, Reasons, reasons_of
from targeting.rejudging.answers import network_answers
from targeting.rejudging.changes import Change, decision_changes, network_changes
from targeting.rejudging.verdict import NO_RESTRICTION, DecidedRequest, judged_item, other_reasons

_OF_DECISIONS: Final = (
    Reason.DO_NOT_TRACK,
    Reason.UNDER_AGE,
    Reason.TCF_NO_CONSENT,
    Reason.SIGNAL_UNREADABLE,
    Reason.OPT_IN_REQUIRED,
)
_BY_POLICY: Final = reasons_of(*_OF_DECISIONS)

CHANGEABLE: Final = (*_OF_DECISIONS, Reason.NETWORK_UNKNOWN, Reason.NETWORK_POLICY)
"""The reasons that a policy may add, or another one lift: of a decision, and of a network's answers."""

_MAX_KNOWN: Final = 4096
_JUDGED_BY: Final = ("children", "gdpr", "consent", "vendor_list")
_ANSWERED_BY: Final = ("networks", "rules", "masks", "gdpr", "vendor_list")


class PolicyPair:
    """Two policies. Used on one thread at a time."""

    def __init__(self, current: Policy, other: Policy) -> None:
        self.current = current
        self.other = other
        self._judge_alike = _are_equal(current, other, _JUDGED_BY) and (
            current.signals.honour_do_not_track == other.signals.honour_do_not_track
        )
        self._answer_alike = _are_equal(current, other, _ANSWERED_BY)
        self._ask_alike = _vendors(current) == _vendors(other) and current.vendor_list == other.vendor_list
        self._known: dict[object, Sequence[Change]] = {}

    def changes(self, decided: DecidedRequest, today: int) -> Sequence[Change]:
        """Return what the other policy would change; ``today`` is ``targeting.age.person_day``."""
        restricts = decided.reasons & ~NO_RESTRICTION
        judges = not (self._judge_alike or restricts & ~_BY_POLICY)
        answers = not self._answer_alike and decided.item.request.networks != ()
        if not (judges or answers):
            return ()
        item = judged_item(decided.item, self.other, today)
        changes: Sequence[Change] = ()
        if judges:
            reasons, asks_store = other_reasons(decided, item, self.other, today)
            changes = decision_changes(Reasons(restricts), reasons, asks_store=asks_store)
        return [*changes, *self._of_networks(decided, item)] if answers else changes

    def _of_networks(self, decided: DecidedRequest, item: PlannedRequest) -> Sequence[Change]:
        # The same strings give the same vendors the same bases.
        alike = self._ask_alike and item.verdict.consent.gdpr == decided.item.verdict.consent.gdpr
        bases = None if alike else self._bases(item, self.other)
        key = (_request_key(decided), self._bases(decided.item, self.current), bases)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            before = network_answers(decided.item, decided.limited, self.current)
            known = network_changes(before, network_answers(item, decided.limited, self.other))
            self._known[key] = known
        return known

    def _bases(self, item: PlannedRequest, policy: Policy) -> object:
        """Return what the consent strings give the networks asked for, as far as an answer depends on it."""
        consent = item.verdict.consent
        if consent.gpp is None and not consent.gdpr:
            return None
        vendors = {vendor_of(policy.by_id.get(name.casefold()), policy) for name in item.request.networks}
        return (
            consent.unreadable,
            consent.gpp is not None and consent.gpp.opt_outs,
            tuple([(vendor, *_basis(consent, vendor, policy)) for vendor in sorted(vendors)]),
        )


def _vendors(policy: Policy) -> dict[str, int]:
    """Return the vendor that consent is asked for, by network; our own by the empty name."""
    return {name: vendor_of(network, policy) for name, network in policy.by_id.items()} | {
        "": policy.gdpr.host_vendor_id
    }


def _are_equal(current: Policy, other: Policy, names: Sequence[str]) -> bool:
    return all(getattr(current, name) == getattr(other, name) for name in names)


def _request_key(decided: DecidedRequest) -> object:
    """Return what the answers depend on besides the policy and the bases (``targeting.network_rules``)."""
    (request, cookies, verdict, _), limited = decided.item, decided.limited
    signals, gpp = request.signals, verdict.consent.gpp
    return (
        request.networks,
        limited.country,
        request.ip_location,
        request.client_country,
        cookies.countries,
        request.shown_countries,
        request.shown_subdivisions,
        (*signals.gpp_section_ids, *(gpp.sections if gpp is not None else ())),
        (signals.global_privacy_control, signals.do_not_track, request.in_app, bool(signals.unreadable)),
        verdict.consent.unreadable,
    )


def _basis(consent: RequestConsent, vendor: int, policy: Policy) -> tuple[bool, bool, Reasons]:
    return (
        consent.has_basis(PURPOSE_CONTACT, vendor, policy),
        consent.has_basis(PURPOSE_BEHAVIOURAL, vendor, policy),
        consent.position_withheld(vendor, policy),
    )
