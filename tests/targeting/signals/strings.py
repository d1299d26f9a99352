"""Consent strings by name, for scenarios and properties, written by our own encoders."""

from tests.targeting.signals.gpp.gpp_encoder import us_string
from tests.targeting.signals.gpp.gpp_vectors import section
from tests.targeting.signals.tcf.tcf_encoder import BitField, Tc

VENDOR = 755
_NATIONAL = section(7, 2)
_ALL_PURPOSES = frozenset(range(1, 12))

STRINGS = {
    "tcf-consent": Tc(
        purposes=_ALL_PURPOSES, special_features=frozenset({1}), consents=BitField(frozenset({VENDOR}), 800)
    ).text(),
    "tcf-contact-only": Tc(purposes=frozenset({1, 2}), consents=BitField(frozenset({VENDOR}), 800)).text(),
    "tcf-refusal": Tc(consents=BitField(frozenset(), 800)).text(),
    "usnat-allows": us_string(_NATIONAL, {}),
    "usnat-sale-opt-out": us_string(_NATIONAL, {"SaleOptOut": 1}),
    "usnat-child": us_string(_NATIONAL, {"KnownChildSensitiveDataConsents[1]": 1}),
    "usnat-gpc": us_string(_NATIONAL, {"Gpc": 1}),
    "usnat-position-refused": us_string(_NATIONAL, {"SensitiveDataProcessing[8]": 1}),
}
