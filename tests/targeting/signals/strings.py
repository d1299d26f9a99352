"""Consent strings by name, for scenarios and properties, written by our own encoders."""

from dataclasses import replace

from tests.targeting.signals.gpp.gpp_encoder import gpp, us_string
from tests.targeting.signals.gpp.gpp_vectors import section
from tests.targeting.signals.tcf.tcf_encoder import BitField, Tc

VENDOR = 755
_NATIONAL = section(7, 2)
_CONSENT = Tc(
    purposes=frozenset(range(1, 12)), special_features=frozenset({1}), consents=BitField(frozenset({VENDOR}), 800)
)

STRINGS = {
    "tcf-consent": _CONSENT.text(),
    "tcf-contact-only": Tc(purposes=frozenset({1, 2}), consents=BitField(frozenset({VENDOR}), 800)).text(),
    "tcf-no-position": replace(_CONSENT, special_features=frozenset()).text(),
    "tcf-global-scope": replace(_CONSENT, service_specific=False).text(),
    "tcf-vendor-list-0": replace(_CONSENT, vendor_list_version=0).text(),
    "tcf-policy-0": replace(_CONSENT, policy_version=0).text(),
    "tcf-refusal": Tc(consents=BitField(frozenset(), 800)).text(),
    "usnat-allows": us_string(_NATIONAL, {}),
    "usnat-sale-opt-out": us_string(_NATIONAL, {"SaleOptOut": 1}),
    "usnat-child": us_string(_NATIONAL, {"KnownChildSensitiveDataConsents[1]": 1}),
    "usnat-gpc": us_string(_NATIONAL, {"Gpc": 1}),
    "usnat-position-refused": us_string(_NATIONAL, {"SensitiveDataProcessing[8]": 1}),
    "usnat-no-sensitive-notice": us_string(_NATIONAL, {"SensitiveDataProcessingOptOutNotice": 2}),
    "usnat-position-without-notice": us_string(
        _NATIONAL, {"SensitiveDataProcessing[8]": 2, "SensitiveDataLimitUseNotice": 0}
    ),
    "gpp-us-privacy-opt-out": gpp({6: "1YYN"}),
    "gpp-tcf-refusal": gpp({2: Tc(consents=BitField(frozenset(), 800)).text()}),
    "gpp-tcf-consent": gpp({2: _CONSENT.text()}),
    "gpp-tcf-global-scope": gpp({2: replace(_CONSENT, service_specific=False).text()}),
    "gpp-later-law": gpp({28: "BVVV"}),
}
