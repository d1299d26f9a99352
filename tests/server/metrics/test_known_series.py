"""The series of every known label are there, at zero, before anything is counted; no event adds another."""

from typing import get_args

import pytest
from google.rpc import code_pb2
from prometheus_client import CollectorRegistry, generate_latest

from server.gate.methods import METHODS
from server.gate.room import Cause
from server.metrics.consent_counts import StringAge
from server.metrics.known_labels import PUT_OFF, PUT_OFF_FAULTS, STORE_FAULTS, STORE_OPERATIONS
from server.metrics.metrics import Metrics
from server.processes.merged_metrics import MergedMetrics, families_of
from server.security.roles import Role
from server.store.ports import RecordOperation
from targeting.model import Mode
from targeting.policy.networks import NetworkPolicy
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.recording.record import Outcome
from targeting.records.preference import Source
from tests.deploy.tools import program, run

POLICY = Policy(networks=(NetworkPolicy(id="first"), NetworkPolicy(id="Second")))
CALL_CODES = (
    "ok", "cancelled", "invalid_argument", "deadline_exceeded", "permission_denied", "unauthenticated",
    "resource_exhausted", "failed_precondition", "unimplemented", "internal", "unavailable",
)  # fmt: skip


def series(registry: CollectorRegistry) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every series of counters and histograms: the sample's name, the values of its labels, its value."""
    return {
        (sample.name, tuple(value for name, value in sample.labels.items() if name != "le")): sample.value
        for family in registry.collect()
        for sample in family.samples
        if family.type in {"counter", "histogram"}
    }


def metrics() -> Metrics:
    made = Metrics()
    made.use_policy(POLICY)
    return made


EXPECTED: dict[str, set[tuple[str, ...]]] = {
    "adtargeting_decisions_total": {("behavioural",), ("limited",)},
    "adtargeting_limit_reasons_total": {(reason.name.lower(),) for reason in Reason},
    "adtargeting_decision_seconds_count": {()},
    "adtargeting_room_seconds_count": {()},
    "adtargeting_loop_lag_seconds_count": {()},
    "adtargeting_batch_size_count": {()},
    "adtargeting_store_seconds_count": {("fetch",), ("read",), ("commit",), ("commit_durably",)},
    "adtargeting_store_errors_total": {
        *((work, fault) for work in ("fetch", "read", "commit", "commit_durably")
          for fault in ("timeout", "untrusted", "unavailable")),
        *((work, fault) for work in ("sticky", "unconfirmed") for fault in ("full", "unavailable", "internal")),
    },
    "adtargeting_profile_writes_total": {
        ("recorded",), ("suppressed",), ("duplicate",), ("rejected",), ("corrected",), ("erased",)
    },
    "adtargeting_preference_changes_total": {
        (choice, source.name.lower(), durability)
        for choice in ("opt_out", "opt_in") for source in Source for durability in ("confirmed", "unconfirmed")
    },
    "adtargeting_network_profiles_total": {
        (network, shared) for network in ("first", "second", "unknown") for shared in ("yes", "no")
    },
    "adtargeting_signal_decode_errors_total": {("tcf",), ("gpp",), ("us_privacy",), ("nap",), ("request",)},
    "adtargeting_consent_given_up_total": {()},
    "adtargeting_tcf_undisclosed_total": {("before_2026_03",), ("since_2026_03",)},
    "adtargeting_sticky_dropped_total": {()},
    "adtargeting_calls_total": {
        (method.path.rpartition("/")[2], code) for method in METHODS for code in CALL_CODES
    },
    "adtargeting_refused_total": {(cause.value,) for cause in Cause},
    "adtargeting_denied_calls_total": {(role.value,) for role in Role} | {("any",)},
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_every_known_label_has_a_series_at_zero(name: str) -> None:
    found = {labels: value for (sample, labels), value in series(metrics().registry).items() if sample == name}
    assert found == dict.fromkeys(EXPECTED[name], 0)


def test_no_event_adds_a_series() -> None:
    counted = metrics()
    before = series(counted.registry).keys()
    for operation in get_args(RecordOperation):
        counted.observe_store(operation, 0.001)
    counted.observe_fetch(0.001)
    for work, faults in ((STORE_OPERATIONS, STORE_FAULTS), (PUT_OFF, PUT_OFF_FAULTS)):
        for operation in work:
            for fault in faults:
                counted.count_store_error(operation, fault)
    for outcome in (*(outcome.name.lower() for outcome in Outcome), "corrected", "erased"):
        counted.count_profile_writes(outcome)
    counted.count_preference_change("opt_in", "unstated", "unconfirmed")
    counted.consent.count_undisclosed(StringAge.SINCE_2026_03)
    counted.count_decode_error("nap")
    counted.calls.count = lambda: {METHODS[0]: {code_pb2.OK: 3, code_pb2.CANCELLED: 1}}
    after = series(counted.registry)
    assert after.keys() == before
    assert after["adtargeting_calls_total", ("Decide", "ok")] == 3


def test_a_code_that_no_call_should_end_with_is_counted_all_the_same() -> None:
    counted = Metrics()
    counted.calls.count = lambda: {METHODS[0]: {code_pb2.DATA_LOSS: 2}}
    assert counted.registry.get_sample_value("adtargeting_calls_total", {"method": "Decide", "code": "data_loss"}) == 2


def test_modes_are_all_there() -> None:
    assert {(mode.name.lower(),) for mode in Mode} == EXPECTED["adtargeting_decisions_total"]


def test_no_series_tells_when_another_was_made() -> None:
    assert not [name for name, _ in series(metrics().registry) if name.endswith("_created")]


def merged() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    of_all = MergedMetrics(registry, CollectorRegistry(), lambda: None)
    for worker in range(2):
        of_all.report(worker, families_of(metrics().registry))
    return registry


@pytest.mark.parametrize("registry", [metrics().registry, merged()], ids=["one process", "several"])
def test_promtool_finds_nothing(registry: CollectorRegistry) -> None:
    checked = run(program("promtool"), "check", "metrics", text=generate_latest(registry).decode())
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
