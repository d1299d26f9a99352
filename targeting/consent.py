"""The consent strings of one request, read together: TCF, GPP, US Privacy.

Regimes add up: each is judged alone, and no consent in one lifts an opt-out in another. A string that is present and
cannot be read limits. Here the strings are judged for ourselves; what they say of a network is asked later.
"""

from collections.abc import Iterable
from typing import NamedTuple

from targeting.locale import parse_country
from targeting.model import AdRequest, Signals
from targeting.policy import Policy
from targeting.reasons import Reason
from targeting.signals import gpp, tcf, us_privacy
from targeting.signals.gpp import Withholds
from targeting.signals.unreadable import Unreadable

PURPOSE_CONTACT = 2
PURPOSE_PROFILE_WRITE = 3
PURPOSE_BEHAVIOURAL = 4
PURPOSES_FOR_ID = range(2, 11)
SPECIAL_FEATURE_POSITION = 1

_GDPR_SECTION = 2
_NOT_APPLICABLE = (-1,)


class Consent(NamedTuple):
    """What the consent strings say.

    ``mask`` holds the reasons that limit the decision. ``tc_strings`` are all that could be read; ``gdpr`` tells
    whether the GDPR applies; ``tcf_unreadable`` whether a TC string was there that could not be read.
    """

    mask: int = 0
    gdpr: bool = False
    tc_strings: tuple[tcf.Consent, ...] = ()
    tcf_unreadable: bool = False
    gpp: gpp.Reading | None = None

    def has_basis(self, purpose: int, vendor: int, policy: Policy) -> bool:
        """Tell whether the vendor has a basis for the purpose: always out of the GDPR's scope."""
        if not self.gdpr:
            return True
        if self.tcf_unreadable or not self.tc_strings or not vendor:
            return False
        return all(string.has_basis(purpose, vendor, policy.vendor_list) for string in self.tc_strings)

    def position_withheld(self, vendor: int, policy: Policy) -> int:
        """Give the reasons for which the vendor may not have the precise position, as a mask; 0: it may."""
        mask = 0
        if self.gpp is not None and self.gpp.withholds & (Withholds.PRECISE_POSITION | Withholds.EVERYTHING):
            mask = Reason.GPP_OPT_OUT.bit
        if self.gdpr and not self._opts_in(SPECIAL_FEATURE_POSITION, vendor, policy):
            mask |= Reason.TCF_NO_CONSENT.bit
        return mask

    def _opts_in(self, special_feature: int, vendor: int, policy: Policy) -> bool:
        if self.tcf_unreadable or not self.tc_strings or not vendor:
            return False
        return all(
            string.allows_special_feature(special_feature, vendor, policy.vendor_list) for string in self.tc_strings
        )


def read_consent(request: AdRequest, cookie_country: str, policy: Policy) -> Consent:
    """Read and judge all consent strings of a request."""
    signals = request.signals
    gdpr = _in_scope(request, cookie_country, policy)
    if not (gdpr or signals.gpp or signals.gpp_section_ids or signals.us_privacy):
        return _SILENT
    mask, reading = _read_gpp(signals)
    mask |= _us_privacy((signals.us_privacy, reading.us_privacy if reading else ""))
    if not gdpr:
        return Consent(mask, gpp=reading)
    strings, unreadable = _tc_strings((signals.tcf_consent, reading.tc_string if reading else ""))
    consent = Consent(0, True, strings, unreadable, reading)
    if unreadable:
        mask |= Reason.SIGNAL_UNREADABLE.bit
    if not consent.has_basis(PURPOSE_BEHAVIOURAL, policy.gdpr.host_vendor_id, policy):
        mask |= Reason.TCF_NO_CONSENT.bit
    return consent._replace(mask=mask)


_SILENT = Consent()


def _in_scope(request: AdRequest, cookie_country: str, policy: Policy) -> bool:
    """Tell whether the GDPR applies: the flag, else section 2, else any country shown; in doubt it does."""
    signals = request.signals
    if signals.gdpr_applies is not None:
        return signals.gdpr_applies
    if _GDPR_SECTION in signals.gpp_section_ids:
        return True
    shown = (
        request.client_country and (parse_country(request.client_country) or ""),
        cookie_country,
        request.ip_location.country,
    )
    return any(country in policy.gdpr.countries for country in shown if country) or not any(shown)


def _read_gpp(signals: Signals) -> tuple[int, gpp.Reading | None]:
    sections = signals.gpp_section_ids if signals.gpp_section_ids != _NOT_APPLICABLE else ()
    if not signals.gpp and not sections:
        return 0, None
    try:
        reading = gpp.read(signals.gpp, sections)
    except Unreadable:
        return Reason.SIGNAL_UNREADABLE.bit, gpp.NOTHING_READ
    mask = Reason.SIGNAL_UNREADABLE.bit if reading.unreadable else 0
    if reading.withholds & (Withholds.PROFILE_AND_IDS | Withholds.EVERYTHING):
        mask |= Reason.GPP_OPT_OUT.bit
    return mask, reading


def _us_privacy(texts: Iterable[str | None]) -> int:
    mask = 0
    for text in filter(None, texts):
        try:
            if us_privacy.read(text).opt_out_sale == "Y":
                mask |= Reason.US_PRIVACY_OPT_OUT.bit
        except Unreadable:
            mask |= Reason.SIGNAL_UNREADABLE.bit
    return mask


def _tc_strings(texts: Iterable[str | None]) -> tuple[tuple[tcf.Consent, ...], bool]:
    strings, unreadable = [], False
    for text in filter(None, texts):
        try:
            strings.append(tcf.read(text))
        except Unreadable:
            unreadable = True
    return tuple(strings), unreadable
