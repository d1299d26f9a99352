"""Every metric of the contract is exposed under its name."""

import re

from prometheus_client import CollectorRegistry

from server.metrics.metrics import Metrics

NAMES = """
decisions_total limit_reasons_total decision_seconds store_seconds store_errors_total profile_writes_total
preference_changes_total network_profiles_total signal_decode_errors_total circuit_open inflight policy_info build_info
store_up store_writable store_trusted country_table_age_seconds sticky_dropped_total processes
unconfirmed_preference_age_seconds calls_total refused_total room_seconds batch_size loop_lag_seconds
consent_given_up_total tcf_undisclosed_total shadow_total canary_leaks_total denied_calls_total
"""
CONTRACT = NAMES.split()


def exposed(registry: CollectorRegistry) -> set[str]:
    """The names of metrics, as Prometheus stores them; of a histogram the name without its suffixes."""
    return {f"{family.name}_total" if family.type == "counter" else family.name for family in registry.collect()}


def test_every_metric_of_the_contract_is_there() -> None:
    assert {f"adtargeting_{name}" for name in CONTRACT} <= exposed(Metrics().registry)


def test_names_end_in_their_units() -> None:
    for name in exposed(Metrics().registry):
        assert re.fullmatch(r"(adtargeting|process)_[a-z_]+", name)
        assert not re.search(r"_(ms|us|millis|kb|mb)$", name)
