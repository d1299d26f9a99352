"""The threads that serve the two lanes."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from server.calls.audited import signal_entry
from server.calls.call_context import CallContext, DecisionParts
from server.calls.call_worker import CallWorker
from server.calls.handlers import HANDLERS
from server.canaries.assembly import guard_of
from server.canaries.guard import CanaryGuard
from server.choices.assembly import ChoiceThreads
from server.decisions.containment import BatchObserver, contained
from server.decisions.decider import Decider
from server.decisions.fetcher import Fetcher, LoopFetcher
from server.decisions.jobs import CallReader
from server.decisions.signal_observer import SignalObserver
from server.decisions.worker import Worker, WorkerParts
from server.gate.port import DecisionLane, Gate
from server.geo.location_database import LocationSource
from server.metrics.metrics import Metrics
from server.policy.current_policy import CurrentPolicy
from server.security.audit import NO_AUDIT, AuditTrail
from server.settings import Settings
from server.store.assembly import StoreAccess
from targeting.recording.signal_opt_outs import Sighting
from targeting.signals.nap import Nap

if TYPE_CHECKING:
    from server.tracing.tracer import Tracer


class LaneThreads(NamedTuple):
    """The parts of the workers of both lanes."""

    settings: Settings
    store: StoreAccess
    choices: ChoiceThreads
    rules: CurrentPolicy
    locator: LocationSource
    open_nap: Callable[[str], Nap | None]
    metrics: Metrics
    observers: Sequence[BatchObserver] = ()
    """Each is shown every batch of decisions."""
    audit: AuditTrail = NO_AUDIT
    tracer: "Tracer | None" = None

    def start(self, gate: Gate, closing: ExitStack) -> None:
        """Start the worker of decisions on the gate's loop, and threads for everything else; ``closing`` stops them."""
        self.choices.signal_opt_outs.on_stored = self._record_signal
        fetcher = self._loop_fetcher()
        closing.callback(fetcher.close)
        parts = WorkerParts(
            decider=Decider(self.rules, self.open_nap, self._guard(), contained(self.observers)),
            fetcher=fetcher,
            observer=self._observer(),
            reader=CallReader(self.locator, self._guard()),
            metrics=self.metrics,
            budget_s=self.settings.decision_budget_ms / 1000,
        )
        gate.decide_with(lambda lane: self._worker(parts, lane).run())
        workers = [CallWorker(gate, HANDLERS, self.call_context()) for _ in range(self.settings.other_workers)]
        threads = [threading.Thread(target=worker.run, name="call-worker", daemon=True) for worker in workers]
        for thread in threads:
            closing.callback(thread.join)
            thread.start()
        # The last ones are called first, so that all are stopped before one is waited for.
        for worker in workers:
            closing.callback(worker.stop)

    def _loop_fetcher(self) -> LoopFetcher:
        if self.tracer is None:
            return LoopFetcher(self._fetcher)
        # Only with traces is OpenTelemetry imported.
        from server.decisions.traced import TracedFetcher  # noqa: PLC0415  # as above

        return TracedFetcher(self._fetcher, self.tracer)

    def _worker(self, parts: WorkerParts, lane: DecisionLane) -> Worker:
        if self.tracer is None:
            return Worker(parts, lane)
        from server.decisions.traced import TracedWorker  # noqa: PLC0415  # as above

        return TracedWorker(parts, lane, self.tracer)

    def _record_signal(self, sighting: Sighting) -> None:
        # Not refused where the log is required: the opt-out protects, and the loss is counted.
        self.audit.enqueue(signal_entry(sighting, self.store.pseudonyms.owner))

    def _guard(self) -> CanaryGuard:
        return guard_of(self.store.key)

    def _decider(self) -> Decider:
        return Decider(self.rules, self.open_nap, self._guard())

    def _fetcher(self) -> Fetcher:
        return Fetcher(self.store.decisions(), self.metrics)

    def _observer(self) -> SignalObserver:
        return SignalObserver(self.metrics, self.choices.signal_opt_outs.enqueue)

    def call_context(self) -> CallContext:
        """Return what one thread makes calls with."""
        return CallContext(
            store=self.store.records(self.metrics),
            decisions=DecisionParts(self._decider(), self._fetcher(), self._observer()),
            rulebook=self.rules,
            locator=self.locator,
            open_nap=self.open_nap,
            metrics=self.metrics,
            now=time.time,
            budget_s=self.settings.write_budget_ms / 1000,
            canaries=self._guard(),
            replicas=self.settings.replicas,
            needs_disk=self.store.puts_on_disk,
            on_unconfirmed=self.choices.replication_watch.track,
            audit=self.audit,
            pseudonym=self.store.pseudonyms.owner,
            country_table_age_s=self.locator.age_s,
        )
