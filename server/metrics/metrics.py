"""The metrics: one object that holds every series, with the children of known labels made beforehand.

Label values come from enumerations and the policy file only; no identifier and no text of a request can become one.
"""

from collections import Counter as Tally
from collections.abc import Iterable
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from server.build import build_version, python_version
from server.gate.port import Gate
from server.metrics import known_labels as known
from server.metrics.call_counts import CallCounts, DenialCounts, RefusalCounts
from server.metrics.canary_counts import CanaryCounts
from server.metrics.certificate_ends import CertificateEnds
from server.metrics.consent_counts import ConsentCounts
from server.metrics.known_labels import PutOff, PutOffFault, StoreOperation, start_at_zero
from server.metrics.loop_histogram import LoopHistogram
from server.metrics.process_counts import define_processes, define_worker_ends
from server.metrics.record_counts import RecordCounts
from server.metrics.shadow_counts import ShadowCounts
from server.store.measured import StoreFault
from server.store.ports import RecordOperation
from targeting.decision import Decision
from targeting.model import Mode
from targeting.policy.policy import Policy
from targeting.reasons import Reason, reasons_in

# 0.03 is the default decision budget and 5 ms for the answer to go out: the bound of deploy/prometheus/rules.
_DECISION_BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25)
_BATCH_BUCKETS = (1, 2, 3, 4, 8, 16, 32, 64, 128)
_STORE_BUCKETS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)
UNKNOWN_NETWORK = "unknown"

# A second series for each counter and histogram, of when it was made, is of no use here.
disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped there


class Metrics:
    """Every series of the service, on a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._define_decisions(registry)
        self._define_store(registry)
        self._define_gate(registry)
        ProcessCollector(registry=registry)
        self._known_networks: frozenset[str] = frozenset()

    def _define_decisions(self, registry: CollectorRegistry) -> None:
        counter = partial(Counter, registry=registry)
        decisions = counter("adtargeting_decisions", "Decisions", ["mode"])
        reasons = counter("adtargeting_limit_reasons", "Reasons of limited decisions", ["reason"])
        self._mode = {mode: decisions.labels(mode.name.lower()) for mode in Mode}
        self._reason = {reason: reasons.labels(reason.name.lower()) for reason in Reason}
        self._decision_seconds = LoopHistogram(
            registry, "adtargeting_decision_seconds", "From arrival to answer", _DECISION_BUCKETS
        )
        self._batch_size = LoopHistogram(registry, "adtargeting_batch_size", "Decisions made together", _BATCH_BUCKETS)
        self._network_profiles = counter("adtargeting_network_profiles", "Answers for networks", ["network", "shared"])
        self._decode_errors = counter("adtargeting_signal_decode_errors", "Signals that could not be read", ["signal"])
        start_at_zero(self._decode_errors, known.UNREADABLE_SIGNALS)
        self._newer_policies = counter(
            "adtargeting_tcf_newer_policies", "TC strings of a policy version that this release does not know"
        )
        self._dropped_signals = counter(
            "adtargeting_sticky_dropped",
            "Signals with new devices that were not stored, beyond signals.new_devices_per_second",
        )
        self.consent = ConsentCounts(registry)
        self._audit_lost = counter("adtargeting_audit_lost", "Entries of the audit log that could not be written")
        self.canaries = CanaryCounts(registry)
        self.shadow = ShadowCounts(registry)
        self.records = RecordCounts(registry)

    def _define_store(self, registry: CollectorRegistry) -> None:
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        self._store_seconds = Histogram(
            "adtargeting_store_seconds",
            "Round trips to the store",
            ["operation"],
            buckets=_STORE_BUCKETS,
            registry=registry,
        )
        start_at_zero(self._store_seconds, known.STORE_OPERATIONS)
        self._fetch_seconds = self._store_seconds.labels("fetch")
        self._store_errors = counter("adtargeting_store_errors", "Failures of the store", ["operation", "kind"])
        start_at_zero(self._store_errors, known.STORE_OPERATIONS, known.STORE_FAULTS)
        start_at_zero(self._store_errors, known.PUT_OFF, known.PUT_OFF_FAULTS)
        self._profile_writes = counter(
            "adtargeting_profile_writes", "Activities and corrections by outcome", ["outcome"]
        )
        start_at_zero(self._profile_writes, known.PROFILE_OUTCOMES)
        self._preference_changes = counter(
            "adtargeting_preference_changes", "Choices", ["choice", "source", "durability"]
        )
        start_at_zero(self._preference_changes, known.CHOICES, known.SOURCES, known.DURABILITIES)
        self.circuit_open = gauge("adtargeting_circuit_open", "1 while the store is known to be down")
        self.store_up = gauge("adtargeting_store_up", "1 while the store answers")
        self.store_writable = gauge("adtargeting_store_writable", "1 while choices can be stored")
        self.store_trusted = gauge("adtargeting_store_trusted", "0 while the store is not the one that was written to")
        self.unconfirmed_age = gauge(
            "adtargeting_unconfirmed_preference_age_seconds", "Age of the oldest unconfirmed choice"
        )

    def _define_gate(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        self._room_seconds = LoopHistogram(
            registry, "adtargeting_room_seconds", "From arrival to the call's turn", _DECISION_BUCKETS
        )
        self._loop_lag = LoopHistogram(
            registry, "adtargeting_loop_lag_seconds", "Lateness of the event loop's timers", _DECISION_BUCKETS
        )
        self.calls = CallCounts(registry)
        self.refusals = RefusalCounts(registry)
        self.denials = DenialCounts(registry)
        self.certificates = CertificateEnds(registry)
        self.inflight = gauge("adtargeting_inflight", "Calls in flight")
        self.country_table_age = gauge(
            "adtargeting_country_table_age_seconds", "Age of the table that locates IP addresses"
        )
        define_processes(registry).set(1)
        define_worker_ends(registry)
        self._policy_info = gauge("adtargeting_policy_info", "The policy in force", ["version"])
        self._build_info = gauge("adtargeting_build_info", "The running build", ["version", "python", "gate"])

    def show_build(self, gate: str) -> None:
        """Show the version of this build, its interpreter and its gate."""
        self._build_info.labels(build_version(), python_version(), gate).set(1)

    def watch_gate(self, gate: Gate) -> None:
        """Show the build with this gate, and what the gate counts."""
        self.show_build(gate.name)
        self.inflight.set_function(gate.inflight)
        self.calls.count = gate.ended
        self.refusals.count = gate.refused
        gate.observe_lag_with(self.observe_lag)

    def use_policy(self, policy: Policy) -> None:
        """Name the policy in force; only its networks become label values."""
        self._policy_info.clear()
        self._policy_info.labels(policy.version).set(1)
        self._known_networks = frozenset(network.id.casefold() for network in policy.networks)
        start_at_zero(self._network_profiles, (*self._known_networks, UNKNOWN_NETWORK), ("yes", "no"))

    def count_decisions(self, decisions: Iterable[Decision]) -> None:
        """Count a batch of decisions."""
        outcomes = Tally((each.mode, each.reasons) for each in decisions)
        for (mode, reasons), count in outcomes.items():
            self._mode[mode].inc(count)
            for reason in reasons_in(reasons):
                self._reason[reason].inc(count)
        for each in decisions:
            for network in each.networks:
                self._count_network(network.network_id, shared=network.profile is not None)

    def observe_decision(self, seconds: float) -> None:
        """Take the time of one call."""
        self._decision_seconds.observe(seconds)

    def observe_wait(self, seconds: float) -> None:
        """Take the time that one call waited for its turn."""
        self._room_seconds.observe(seconds)

    def observe_lag(self, seconds: float) -> None:
        """Take how late the event loop came to a timer that was due."""
        self._loop_lag.observe(seconds)

    def observe_batch(self, decisions: int) -> None:
        """Take how many decisions were made together."""
        self._batch_size.observe(decisions)

    def observe_fetch(self, seconds: float) -> None:
        """Take the time of one read for decisions."""
        self._fetch_seconds.observe(seconds)

    def observe_store(self, operation: RecordOperation, seconds: float) -> None:
        """Take the time of one round trip."""
        self._store_seconds.labels(operation).observe(seconds)

    def count_store_error(self, operation: StoreOperation | PutOff, kind: StoreFault | PutOffFault) -> None:
        """Count a failure of the store."""
        self._store_errors.labels(operation, kind).inc()

    def report_store(self, state: tuple[bool, bool, bool]) -> None:
        """Report whether the store answers, can be written to, and is trusted."""
        for gauge, holds in zip((self.store_up, self.store_writable, self.store_trusted), state, strict=True):
            gauge.set(holds)

    def count_decode_error(self, signal: str) -> None:
        """Count a signal that was present and could not be read."""
        self._decode_errors.labels(signal).inc()

    def count_dropped_signal(self) -> None:
        """Count a signal with a new device that was not stored."""
        self._dropped_signals.inc()

    def count_audit_lost(self) -> None:
        """Count an entry of the audit log that could not be written."""
        self._audit_lost.inc()

    def count_newer_policy(self) -> None:
        """Count a TC string of a policy version that is not known yet; it was read all the same."""
        self._newer_policies.inc()

    def count_profile_writes(self, outcome: str, count: int = 1) -> None:
        """Count activities, corrections or erasures."""
        self._profile_writes.labels(outcome).inc(count)

    def count_preference_change(self, choice: str, source: str, durability: str) -> None:
        """Count an acknowledged choice."""
        self._preference_changes.labels(choice, source, durability).inc()

    def _count_network(self, network_id: str, *, shared: bool) -> None:
        name = network_id.casefold()
        label = name if name in self._known_networks else UNKNOWN_NETWORK
        self._network_profiles.labels(label, "yes" if shared else "no").inc()
