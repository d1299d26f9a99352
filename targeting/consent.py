"""The consent strings of one request, read together: TCF, GPP, US Privacy.

Regimes add up: each is judged alone, and no consent in one lifts an opt-out in another. A string that is present and
cannot be read limits. This module judges the strings for ourselves; ``targeting.networks`` asks about each network.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from targeting.model import AdRequest, Signals
from targeting.places.locale import EUROPE, parse_place
from targeting.policy.policy import Policy
from targeting.reasons import NO_REASONS, Reason, Reasons
from targeting.signals.gpp.read import GppReading, Withholds, read_gpp_string
from targeting.signals.tcf.read import TcConsent, read_tc_string
from targeting.signals.unreadable import GivenUp, Unreadable
from targeting.signals.us_privacy import read_us_privacy

PURPOSE_CONTACT = 2
PURPOSE_PROFILE_WRITE = 3
PURPOSE_BEHAVIOURAL = 4
SPECIAL_FEATURE_POSITION = 1

TCF, GPP, US_PRIVACY = "tcf", "gpp", "us_privacy"

_GDPR_SECTION = 2
_NO_CONSENT = Reason.TCF_NO_CONSENT.bit


class RequestConsent(NamedTuple):
    """What the consent strings of a request say.

    ``reasons`` limit the decision; ``gdpr`` is whether the GDPR applies; ``tc_strings`` are the readable TC strings,
    each of which must allow. ``may_grant`` is whether one of them was sent as the consent of this request: a GPP
    section 2 that ``gpp_section_ids`` does not name can only withhold. ``unreadable`` names the signals that cannot be
    read, and ``given_up`` those among them that would take too long to read.
    """

    reasons: Reasons = NO_REASONS
    gdpr: bool = False
    tc_strings: tuple[TcConsent, ...] = ()
    may_grant: bool = False
    gpp: GppReading | None = None
    unreadable: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()

    def has_basis(self, purpose: int, vendor: int, policy: Policy) -> bool:
        """Return whether the vendor has a basis for the purpose: always, outside the GDPR's scope."""
        return not self.gdpr or (
            self._grants(vendor)
            and all(string.has_basis(purpose, vendor, policy.vendor_list) for string in self.tc_strings)
        )

    def position_withheld(self, vendor: int, policy: Policy) -> Reasons:
        """Return the reasons that withhold the precise position from the vendor."""
        reasons = 0
        if self.gpp is not None and self.gpp.opt_outs & Withholds.PRECISE_POSITION:
            reasons = int(Reason.GPP_OPT_OUT.bit)
        if self.gdpr and not (
            self._grants(vendor)
            and all(
                string.may_use_feature(SPECIAL_FEATURE_POSITION, vendor, policy.vendor_list)
                for string in self.tc_strings
            )
        ):
            reasons |= _NO_CONSENT
        return Reasons(reasons)

    def under(self, policy: Policy) -> "RequestConsent":
        """Return what the same strings say under a policy, in whose eyes the GDPR applies just as it does here."""
        missing = _NO_CONSENT
        if all(self.has_basis(purpose, policy.gdpr.host_vendor_id, policy) for purpose in _purposes(policy)):
            missing = NO_REASONS
        reasons = Reasons(self.reasons & ~_NO_CONSENT | missing)
        return self if reasons == self.reasons else self._replace(reasons=reasons)

    def outside_the_gdpr(self) -> "RequestConsent":
        """Return what the same strings say where the GDPR does not apply, and TC strings have no effect."""
        unreadable = tuple([signal for signal in self.unreadable if signal != TCF])
        reasons = self.reasons & ~(_NO_CONSENT | Reason.SIGNAL_UNREADABLE.bit)
        return self._replace(
            reasons=Reasons(reasons | Reason.SIGNAL_UNREADABLE.bit if unreadable else reasons),
            gdpr=False,
            tc_strings=(),
            may_grant=False,
            unreadable=unreadable,
            given_up=tuple([signal for signal in self.given_up if signal != TCF]),
        )

    def _grants(self, vendor: int) -> bool:
        """Return whether any string may grant the vendor a basis: none does if one of them cannot be read."""
        return self.may_grant and TCF not in self.unreadable and vendor > 0


SILENT = RequestConsent()
"""No consent string was sent, and none is needed."""


def read_consent(request: AdRequest, cookie_countries: tuple[str, ...], policy: Policy) -> RequestConsent:
    """Read and judge all consent strings of a request."""
    signals = request.signals
    gdpr = in_gdpr_scope(request, cookie_countries, policy)
    if not (gdpr or signals.gpp or signals.gpp_section_ids or signals.us_privacy):
        return SILENT
    doubts = _Doubts()
    readings = [read_gpp_string(text, signals.gpp_section_ids) for text in _gpp_texts(signals)]
    gpp = _combine(readings, doubts)
    reasons = int(_us_privacy([signals.us_privacy, *signals.more_us_privacies, *_us_privacies_in(readings)], doubts))
    if gpp is not None and gpp.opt_outs & Withholds.PROFILE_AND_IDS:
        reasons |= Reason.GPP_OPT_OUT.bit
    # Outside the GDPR's scope a TC string has no effect. A named section 2 puts the request in scope.
    sent = [signals.tcf_consent, *signals.more_tcf_consents] if gdpr else []
    inside = [reading.tc_string for reading in readings] if gdpr else []
    strings = _tc_strings([*sent, *inside], doubts)
    may_grant = bool(strings) and (any(sent) or _GDPR_SECTION in signals.gpp_section_ids)
    if doubts.unreadable:
        reasons |= Reason.SIGNAL_UNREADABLE.bit
    consent = RequestConsent(
        reasons=Reasons(reasons),
        gdpr=gdpr,
        tc_strings=strings,
        may_grant=may_grant,
        gpp=gpp,
        unreadable=tuple(sorted(doubts.unreadable)),
        given_up=tuple(sorted(doubts.given_up)),
    )
    return consent.under(policy)


class _Doubts:
    """The names of the signals that cannot be read, and of those that would take too long."""

    __slots__ = ("given_up", "unreadable")

    def __init__(self) -> None:
        self.unreadable: set[str] = set()
        self.given_up: set[str] = set()

    def add(self, signal: str, *, given_up: bool) -> None:
        self.unreadable.add(signal)
        if given_up:
            self.given_up.add(signal)


def _purposes(policy: Policy) -> tuple[int, ...]:
    """Return the purposes that a behavioural answer needs."""
    return (PURPOSE_BEHAVIOURAL, *policy.gdpr.also_required_purposes)


def _gpp_texts(signals: Signals) -> tuple[str, ...]:
    if not (signals.gpp or signals.gpp_section_ids):
        return ()
    return (signals.gpp, *signals.more_gpps)


def _combine(readings: Sequence[GppReading], doubts: _Doubts) -> GppReading | None:
    """Return what any of the readings withholds. The later of two sections of one id counts only if it withholds."""
    if not readings:
        return None
    combined, *others = readings
    for reading in others:
        further = {
            section_id: section
            for section_id, section in reading.sections.items()
            if section_id not in combined.sections or section.withholds()
        }
        combined = combined._replace(
            opt_outs=combined.opt_outs | reading.opt_outs,
            unreadable=combined.unreadable + reading.unreadable,
            sections={**combined.sections, **further},
        )
    if combined.unreadable:
        doubts.add(GPP, given_up=any(reading.given_up for reading in readings))
    return combined


def in_gdpr_scope(request: AdRequest, cookie_countries: tuple[str, ...], policy: Policy) -> bool:
    """Return whether the GDPR applies: by the flag or a named section 2, else by any country shown; in doubt, yes."""
    signals = request.signals
    if signals.gdpr_applies or _GDPR_SECTION in signals.gpp_section_ids:
        return True
    if signals.gdpr_applies is not None:
        return False
    countries, country = policy.gdpr.applies_in, request.ip_location.country
    if not (request.client_country or cookie_countries or request.shown_countries):
        return not country or country in countries or country == EUROPE
    shown = {parse_place(request.client_country), country, *cookie_countries, *request.shown_countries} - {None, ""}
    return not shown or EUROPE in shown or not countries.isdisjoint(shown)


def _us_privacies_in(readings: Iterable[GppReading]) -> list[str | None]:
    return [reading.us_privacy for reading in readings]


def _us_privacy(texts: Iterable[str | None], doubts: _Doubts) -> Reasons:
    reasons = NO_REASONS
    for text in filter(None, texts):
        try:
            if read_us_privacy(text).opted_out:
                reasons = Reason.US_PRIVACY_OPT_OUT.bit
        except Unreadable:
            doubts.add(US_PRIVACY, given_up=False)
    return reasons


def _tc_strings(texts: Iterable[str | None], doubts: _Doubts) -> tuple[TcConsent, ...]:
    strings = []
    for text in filter(None, texts):
        try:
            strings.append(read_tc_string(text))
        except Unreadable as problem:
            doubts.add(TCF, given_up=isinstance(problem, GivenUp))
    return tuple(strings)
