"""Policies that differ from one another in every way that a decision or a network's answers can depend on."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from targeting.policy.policy import (
    DEFAULT_POLICY,
    ChildrenPolicy,
    ConsentPolicy,
    GdprPolicy,
    MaskPolicy,
    NetworkPolicy,
    NetworkRule,
    Policy,
    SignalPolicy,
)
from targeting.signals.tcf.vendor_list import VendorDeclaration, VendorList
from tests.targeting.signals.strings import VENDOR

PARTNER: Final = NetworkPolicy(
    id="partner",
    tcf_vendor_id=VENDOR,
    fields=("age_bracket", "country"),
    user_id=True,
    buyeruid=True,
    precise_position="coarse",
)
BASE: Final = replace(
    DEFAULT_POLICY,
    version="base",
    gdpr=GdprPolicy(host_vendor_id=VENDOR),
    networks=(DEFAULT_POLICY.networks[0], PARTNER),
)


def _declared(version: int, purposes: int) -> VendorList:
    return VendorList(version, {VENDOR: VendorDeclaration(0, purposes, 0, 0)})


def _with_partner(**values: Any) -> Policy:
    return replace(BASE, networks=(BASE.networks[0], replace(PARTNER, **values)))


def _ruled(**values: Any) -> Policy:
    return replace(BASE, rules=(NetworkRule(**values),))


VARIANTS: Final = {
    "base": BASE,
    "do not track honoured": replace(BASE, signals=SignalPolicy(honour_do_not_track=True)),
    "16 everywhere": replace(BASE, children=ChildrenPolicy(age=16)),
    "no children": replace(BASE, children=ChildrenPolicy(age=0)),
    "ages by place": replace(
        BASE,
        children=ChildrenPolicy(
            age_by_country=MappingProxyType({"DE": 16}), age_by_subdivision=MappingProxyType({"US-CA": 18})
        ),
    ),
    "no GDPR": replace(BASE, gdpr=GdprPolicy(countries=(), host_vendor_id=VENDOR)),
    "GDPR in the US": replace(BASE, gdpr=GdprPolicy(countries=("US", "DE"), host_vendor_id=VENDOR)),
    "another vendor": replace(BASE, gdpr=GdprPolicy(host_vendor_id=12)),
    "more purposes": replace(BASE, gdpr=GdprPolicy(host_vendor_id=VENDOR, also_required_purposes=(7, 24))),
    "a vendor list of that version": replace(BASE, vendor_list=_declared(48, 1 << 2 | 1 << 4)),
    "a vendor list of another version": replace(BASE, vendor_list=_declared(49, 1 << 2)),
    "opt-in in places": replace(BASE, consent=ConsentPolicy(explicit_opt_in_in=("CA-QC", "US"))),
    "opt-in in Germany": replace(BASE, consent=ConsentPolicy(explicit_opt_in_in=("DE",))),
    "more for the partner": _with_partner(precise_position="exact", fields=("gender",), full_ip=True),
    "less for the partner": _with_partner(precise_position="none", user_id=False, ipv4_bits=8),
    "the partner as another vendor": _with_partner(tcf_vendor_id=12),
    "no partner": replace(BASE, networks=BASE.networks[:1]),
    "the stranger listed": replace(BASE, networks=(*BASE.networks, replace(PARTNER, id="Stranger"))),
    "narrow masks": replace(BASE, masks=MaskPolicy(ipv4_bits=16, ipv6_bits=40)),
    "a rule by country": _ruled(withhold=("profile", "user_id"), countries=("US",)),
    "a rule by subdivision": _ruled(withhold=("contact",), subdivisions=("US-CA",)),
    "a rule by section": _ruled(withhold=("precise_position", "profile"), gpp_sections=(7,)),
    "a rule by app": _ruled(withhold=("user_id",), app=True),
    "GDPR in the US, and a rule by section": replace(
        _ruled(withhold=("contact",), gpp_sections=(7,)), gdpr=GdprPolicy(countries=("US",), host_vendor_id=VENDOR)
    ),
    "a rule by signals": _ruled(withhold=("user_id",), global_privacy_control=True, do_not_track=False, app=True),
}
