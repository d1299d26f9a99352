"""Special features: the opt-in of the person, and the declaration of the vendor."""

from dataclasses import replace

import pytest

from targeting.signals.tcf.read import read_tc_string
from targeting.signals.tcf.vendor_list import VendorList
from tests.targeting.signals.tcf.tcf_encoder import Tc
from tests.targeting.signals.tcf.test_tcf_rules import OPTED_IN, US, YES, declared


@pytest.mark.parametrize(("number", "expected"), [(1, True), (2, False), (12, True), (0, False), (13, False)])
def test_special_features(number: int, *, expected: bool) -> None:
    string = replace(YES, special_features=frozenset({1, 12}))
    assert read_tc_string(string.text()).special_feature(number) is expected


@pytest.mark.parametrize(
    ("string", "vendors", "expected"),
    [
        pytest.param(OPTED_IN, None, True, id="no vendor list"),
        pytest.param(OPTED_IN, declared(specialFeatures=[1]), True, id="declared"),
        pytest.param(OPTED_IN, declared(specialFeatures=[2]), False, id="another one declared"),
        pytest.param(OPTED_IN, VendorList(125, {}), True, id="the list of another version"),
        pytest.param(YES, declared(specialFeatures=[1]), False, id="not opted in to"),
    ],
)
def test_a_vendor_may_use_a_special_feature_that_it_declared(
    string: Tc, vendors: VendorList | None, *, expected: bool
) -> None:
    assert read_tc_string(string.text()).may_use_feature(1, US, vendors) is expected


@pytest.mark.parametrize(
    "string",
    [
        pytest.param(replace(OPTED_IN, service_specific=False), id="global scope"),
        pytest.param(replace(OPTED_IN, vendor_list_version=0), id="vendor list version 0"),
        pytest.param(replace(OPTED_IN, policy_version=0), id="policy version 0"),
    ],
)
def test_an_invalid_string_opts_in_to_no_feature(string: Tc) -> None:
    assert read_tc_string(OPTED_IN.text()).may_use_feature(1, US) is True
    assert read_tc_string(string.text()).may_use_feature(1, US) is False
