"""Rules by place and by section where the request shows a place that is no country, or names no section."""

from typing import Any

import pytest

from targeting.model import AdRequest, Signals
from targeting.places.geo import IpLocation
from targeting.policy.policy import NetworkRule
from tests.targeting.network_cases import IN_NEW_YORK, PREFERENCE, REQUEST, decide_one, with_rules
from tests.targeting.signals.strings import STRINGS

OUT_OF_SCOPE = Signals(gdpr_applies=False)


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param({"cookie_header": "CC=EU"}, id="cookie"),
        pytest.param({"client_country": "EU"}, id="client"),
        pytest.param({"ip_location": IpLocation("EU", "")}, id="address"),
        pytest.param({"shown_countries": ("EU",)}, id="bid-request"),
    ],
)
@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        ({"countries": ("DE",)}, True),
        ({"countries": ("CH", "JP")}, True),
        ({"countries": ("JP",)}, False),
        ({"subdivisions": ("DE-BE",)}, True),
    ],
)
def test_somewhere_in_europe_may_be_any_country_of_the_gdpr(
    condition: dict[str, Any], shown: dict[str, Any], *, applies: bool
) -> None:
    request = REQUEST._replace(ip_location=IN_NEW_YORK, signals=OUT_OF_SCOPE)._replace(**shown)
    decision = decide_one(with_rules(NetworkRule(withhold=("user_id",), **condition)), request=request)
    assert bool(decision.withheld.user_id) is applies


@pytest.mark.parametrize("header", ["CC=DE", "CC=US; CC=DE", "CC=XX; CC=DE"])
def test_every_country_of_a_cookie_counts(header: str) -> None:
    request = REQUEST._replace(cookie_header=header, signals=OUT_OF_SCOPE)
    rule = with_rules(NetworkRule(withhold=("user_id",), countries=("DE",)))
    assert decide_one(rule, request=request, preference=PREFERENCE).withheld.user_id


@pytest.mark.parametrize(
    ("signals", "applies"),
    [
        ({"gpp": STRINGS["usnat-allows"]}, True),
        ({"gpp": STRINGS["usnat-allows"], "gpp_section_ids": (0,)}, True),
        ({"gpp": STRINGS["usnat-allows"], "gpp_section_ids": (7,)}, True),
        ({"gpp": STRINGS["usnat-allows"], "gpp_section_ids": (-1,)}, False),
        ({}, False),
    ],
)
def test_a_rule_by_section_applies_where_none_is_named_and_the_string_has_it(
    signals: dict[str, Any], *, applies: bool
) -> None:
    request: AdRequest = REQUEST._replace(signals=OUT_OF_SCOPE._replace(**signals))
    rule = NetworkRule(withhold=("contact",), gpp_sections=(7,))
    assert decide_one(with_rules(rule), request=request).contact_allowed is not applies
