"""The consent strings of one request, read together: TCF, GPP, US Privacy.

Regimes add up: each is judged alone, and no consent in one lifts an opt-out in another. A string that is present and
cannot be read limits. This module judges the strings for ourselves; ``targeting.networks`` asks about each network.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from targeting.model import AdRequest, Signals
from targeting.places.locale import parse_country
from targeting.policy.policy import Policy
from targeting.reasons import NO_REASONS, Reason, Reasons
from targeting.signals.gpp.read import GppReading, Withholds, read_gpp_string
from targeting.signals.tcf.read import TcConsent, read_tc_string
from targeting.signals.unreadable import Unreadable
from targeting.signals.us_privacy import read_us_privacy

PURPOSE_CONTACT = 2
PURPOSE_PROFILE_WRITE = 3
PURPOSE_BEHAVIOURAL = 4
SPECIAL_FEATURE_POSITION = 1

TCF, GPP, US_PRIVACY = "tcf", "gpp", "us_privacy"

_GDPR_SECTION = 2


class RequestConsent(NamedTuple):
    """What the consent strings say.

    ``reasons`` are those that limit the decision; ``gdpr`` is whether the GDPR applies; ``tc_strings`` are the
    readable ones. ``unreadable`` names the signals that are present and cannot be read.
    """

    reasons: Reasons = NO_REASONS
    gdpr: bool = False
    tc_strings: tuple[TcConsent, ...] = ()
    gpp: GppReading | None = None
    unreadable: tuple[str, ...] = ()

    def has_basis(self, purpose: int, vendor: int, policy: Policy) -> bool:
        """Whether the vendor has a basis for the purpose: always, out of the GDPR's scope."""
        return not self.gdpr or (
            self._may_grant(vendor)
            and all(string.has_basis(purpose, vendor, policy.vendor_list) for string in self.tc_strings)
        )

    def position_withheld(self, vendor: int, policy: Policy) -> Reasons:
        """Return the reasons against passing the precise position to the vendor; none: it may have it."""
        reasons = 0
        if self.gpp is not None and self.gpp.withholds & Withholds.PRECISE_POSITION:
            reasons = int(Reason.GPP_OPT_OUT.bit)
        if self.gdpr and not (
            self._may_grant(vendor)
            and all(
                string.may_use_feature(SPECIAL_FEATURE_POSITION, vendor, policy.vendor_list)
                for string in self.tc_strings
            )
        ):
            reasons |= Reason.TCF_NO_CONSENT.bit
        return Reasons(reasons)

    def _may_grant(self, vendor: int) -> bool:
        """Whether any basis is possible: every string is readable, there is one, and the vendor has an id."""
        return TCF not in self.unreadable and bool(self.tc_strings) and vendor > 0


SILENT = RequestConsent()
"""No consent string is present, and none is required."""


def read_consent(request: AdRequest, cookie_countries: tuple[str, ...], policy: Policy) -> RequestConsent:
    """Read and judge all consent strings of a request."""
    signals = request.signals
    gdpr = _in_scope(request, cookie_countries, policy)
    if not (gdpr or signals.gpp or signals.gpp_section_ids or signals.us_privacy):
        return SILENT
    readings = [read_gpp_string(text, signals.gpp_section_ids) for text in _gpp_texts(signals)]
    combined = _combined(readings) if readings else None
    us_privacy_reasons, unreadable = _us_privacy(
        (signals.us_privacy, *signals.more_us_privacies, *(reading.us_privacy for reading in readings))
    )
    reasons = int(us_privacy_reasons)
    if combined is not None and combined.withholds & Withholds.PROFILE_AND_IDS:
        reasons |= Reason.GPP_OPT_OUT.bit
    if combined is not None and combined.unreadable:
        unreadable |= {GPP}
    # A section 2 that is named must be readable; out of scope it has no other effect.
    strings, undecodable = _tc_strings(
        (
            *((signals.tcf_consent, *signals.more_tcf_consents) if gdpr else ()),
            *(reading.tc_string for reading in readings),
        )
    )
    unreadable |= undecodable
    if unreadable:
        reasons |= Reason.SIGNAL_UNREADABLE.bit
    consent = RequestConsent(Reasons(reasons), gdpr, strings, combined, tuple(sorted(unreadable)))
    if all(consent.has_basis(purpose, policy.gdpr.host_vendor_id, policy) for purpose in _purposes(policy)):
        return consent
    return consent._replace(reasons=Reasons(reasons | Reason.TCF_NO_CONSENT.bit))


def _purposes(policy: Policy) -> tuple[int, ...]:
    """Return the purposes that a behavioural answer needs."""
    return (PURPOSE_BEHAVIOURAL, *policy.gdpr.also_required_purposes)


def _gpp_texts(signals: Signals) -> tuple[str, ...]:
    if not (signals.gpp or signals.gpp_section_ids):
        return ()
    return (signals.gpp, *signals.more_gpps)


def _combined(readings: Sequence[GppReading]) -> GppReading:
    """Withhold what any reading withholds; the sections shown are those of the first."""
    combined, *others = readings
    for reading in others:
        combined = combined._replace(
            withholds=combined.withholds | reading.withholds, unreadable=combined.unreadable + reading.unreadable
        )
    return combined


def _in_scope(request: AdRequest, cookie_countries: tuple[str, ...], policy: Policy) -> bool:
    """Whether the GDPR applies: the flag, else section 2, else any country shown; in doubt it does."""
    signals = request.signals
    if signals.gdpr_applies is not None:
        return signals.gdpr_applies
    if _GDPR_SECTION in signals.gpp_section_ids:
        return True
    countries, country = policy.gdpr.applies_in, request.ip_location.country
    if not (request.client_country or cookie_countries or request.shown_countries):
        return not country or country in countries
    shown = (parse_country(request.client_country), country, *cookie_countries, *request.shown_countries)
    return not any(shown) or not countries.isdisjoint(shown)


def _us_privacy(texts: Iterable[str | None]) -> tuple[Reasons, set[str]]:
    reasons, unreadable = NO_REASONS, set()
    for text in filter(None, texts):
        try:
            if read_us_privacy(text).opted_out:
                reasons = Reason.US_PRIVACY_OPT_OUT.bit
        except Unreadable:
            unreadable.add(US_PRIVACY)
    return reasons, unreadable


def _tc_strings(texts: Iterable[str | None]) -> tuple[tuple[TcConsent, ...], set[str]]:
    strings, unreadable = [], set()
    for text in filter(None, texts):
        try:
            strings.append(read_tc_string(text))
        except Unreadable:
            unreadable.add(TCF)
    return tuple(strings), unreadable
