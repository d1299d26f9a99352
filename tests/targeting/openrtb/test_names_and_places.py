"""Networks by name: their own parameters; and by place: the rules that withhold."""

from typing import Any

import pytest

from targeting.places.geo import IpLocation
from targeting.policy.policy import NetworkPolicy, NetworkRule, Policy
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from tests.targeting.openrtb.preparing import Json, TableLocator, asking, prepare

FATHOM = NetworkPolicy("fathom-resale", fields=SHAREABLE_FIELDS, user_id=True, bidder="Fathom")
PARAMETERS = {"Fathom": {"placementId": "p"}, "prebid": {"bidder": {"fathom": {"tagId": "t"}}}}
IN_CALIFORNIA: Json = {"country": "USA", "region": "CA"}


def bid(device: Json, **fields: Json) -> Json:
    return {"id": "1", "imp": [{"id": "1", "banner": {}, "ext": PARAMETERS}], "device": device, **fields}


def test_an_unknown_network_gets_no_parameters_of_a_known_one_that_goes_by_its_name() -> None:
    call = asking(bid({"geo": {"country": "USA"}}), ["fathom", "FATHOM-RESALE"])
    requests = prepare(call, policy=Policy(networks=(FATHOM,))).bid_requests
    assert "ext" not in requests["fathom"]["imp"][0]
    assert requests["FATHOM-RESALE"]["imp"][0]["ext"] == PARAMETERS


@pytest.mark.parametrize(
    ("request_", "rule", "withheld"),
    [
        pytest.param(bid({"ip": "192.0.2.1"}), {"subdivisions": ("US-CA",)}, False, id="the address alone"),
        pytest.param(
            bid({"ip": "192.0.2.1", "geo": IN_CALIFORNIA}), {"subdivisions": ("US-CA",)}, True, id="the device's place"
        ),
        pytest.param(
            bid({"ip": "192.0.2.1"}, user={"geo": IN_CALIFORNIA}), {"subdivisions": ("US-CA",)}, True, id="the home"
        ),
        pytest.param(
            bid({"ip": "192.0.2.1", "ipv6": "2001:db8::1"}), {"subdivisions": ("US-CA",)}, True, id="another address"
        ),
        pytest.param(
            bid({"ip": "192.0.2.1", "geo": {"country": "MEX"}}), {"countries": ("MX",)}, True, id="the device's country"
        ),
        pytest.param(bid({"ip": "192.0.2.1"}), {"countries": ("MX",)}, False, id="another country"),
        *(
            pytest.param(
                bid({"ip": "192.0.2.1", "geo": {"country": "USA", "region": region}}),
                {"subdivisions": ("US-CA",)},
                withheld,
                id=f"the region {region!r}",
            )
            for region, withheld in (
                ("ca", True),
                ("US-CA", True),
                ("us-ca", True),
                ("California", True),
                ("NV", False),
                ("", False),
            )
        ),
        pytest.param(
            bid({"ip": "192.0.2.1", "geo": {"country": "MEX"}}),
            {"subdivisions": ("MX-CMX",)},
            True,
            id="another country's unknown region",
        ),
    ],
)
def test_a_rule_by_place_holds_wherever_the_request_says_that_it_is(
    request_: Json, rule: dict[str, Any], *, withheld: bool
) -> None:
    policy = Policy(networks=(FATHOM,), rules=(NetworkRule(withhold=("profile", "user_id"), **rule),))
    locator = TableLocator({"192.0.2.1": IpLocation("US", "US-NV"), "2001:db8::1": IpLocation("US", "US-CA")})
    decision = prepare(asking(request_, ["fathom-resale"]), policy=policy, locator=locator).networks["fathom-resale"]
    assert (decision.profile_shared, decision.id_shared) == (not withheld, not withheld)
