"""The facts of consent strings: the bases that they give to the vendors that the policy names, and no more of them."""

from collections.abc import Iterable
from typing import Final, get_args

from targeting.consent import PURPOSE_BEHAVIOURAL, PURPOSE_CONTACT, SPECIAL_FEATURE_POSITION
from targeting.decision import PlannedRequest
from targeting.decision_records.form import ConsentFacts, Signal, TcStringFacts, VendorFacts
from targeting.networks import vendor_of
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.signals.gpp.layouts import LAYOUTS
from targeting.signals.gpp.string import CANADA, TCF, US_PRIVACY
from targeting.signals.tcf.read import CONSENT, LEGITIMATE_INTEREST, TcConsent

KNOWN_SECTIONS: Final = frozenset({TCF, CANADA, US_PRIVACY, *LAYOUTS})
"""Sections of the standard; any other number that a caller names is not recorded. It is unreadable, and limits."""


def consent_facts(item: PlannedRequest, policy: Policy) -> ConsentFacts:
    """Return what the consent strings of a request say, judged by a policy."""
    consent, signals = item.verdict.consent, item.request.signals
    purposes = purposes_of(policy) if consent.gdpr else ()
    vendors = vendors_of(item.request.networks, policy)
    return ConsentFacts(
        gdpr_flag=signals.gdpr_applies,
        in_gdpr_scope=consent.gdpr,
        unreadable=tuple([signal for signal in get_args(Signal) if signal in consent.unreadable]),
        us_privacy_opt_out=bool(consent.reasons & Reason.US_PRIVACY_OPT_OUT.bit),
        has_gpp=consent.gpp is not None,
        named_sections=_known(signals.gpp_section_ids),
        sections=() if consent.gpp is None else _known(consent.gpp.sections),
        withholds=0 if consent.gpp is None else int(consent.gpp.opt_outs),
        may_grant=consent.may_grant,
        vendor_list=policy.vendor_list.vendor_list_version if consent.gdpr and policy.vendor_list else 0,
        purposes=purposes,
        tc_strings=tuple([_string_facts(string, vendors, purposes, policy) for string in consent.tc_strings]),
    )


def purposes_of(policy: Policy) -> tuple[int, ...]:
    """Return the purposes that a decision by a policy asks about."""
    return tuple(sorted({PURPOSE_CONTACT, PURPOSE_BEHAVIOURAL, *policy.gdpr.also_required_purposes}))


def vendors_of(networks: Iterable[str], policy: Policy) -> tuple[int, ...]:
    """Return the vendors that a decision by a policy asks about: ourselves, and the networks that it lists."""
    asked = {vendor_of(policy.by_id.get(name.casefold()), policy) for name in networks}
    return tuple(sorted({policy.gdpr.host_vendor_id, *asked} - {0}))


def _known(section_ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(KNOWN_SECTIONS.intersection(section_ids)))


def _string_facts(string: TcConsent, vendors: Iterable[int], purposes: Iterable[int], policy: Policy) -> TcStringFacts:
    listed = policy.vendor_list
    return TcStringFacts(
        is_of_list=listed is not None and listed.vendor_list_version == string.vendor_list_version,
        precise_position=string.may_use_feature(SPECIAL_FEATURE_POSITION, 0),
        vendors=tuple([_vendor_facts(string, vendor, purposes) for vendor in vendors]),
    )


def _vendor_facts(string: TcConsent, vendor: int, purposes: Iterable[int]) -> VendorFacts:
    bases = {purpose: string.bases(purpose, vendor) for purpose in purposes}
    return VendorFacts(
        id=vendor,
        consent=tuple([purpose for purpose, given in bases.items() if given & CONSENT]),
        legitimate_interest=tuple([purpose for purpose, given in bases.items() if given & LEGITIMATE_INTEREST]),
    )
