"""A policy written as a table is the same policy when it is read."""

import json
from dataclasses import replace

import pytest

from targeting.policy.policy import DEFAULT_POLICY, Policy, policy_from
from targeting.policy.settings_table import settings_table
from tests.targeting.rejudging.policies import VARIANTS


@pytest.mark.parametrize("policy", [DEFAULT_POLICY, *VARIANTS.values()], ids=["built-in", *VARIANTS])
def test_a_table_is_read_back_from_json(policy: Policy) -> None:
    table = json.loads(json.dumps(settings_table(policy)))
    assert policy_from(table) == replace(policy, vendor_list=None)
