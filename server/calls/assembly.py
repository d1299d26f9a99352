"""The threads that serve the two lanes."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple, Protocol

from server.calls.call_context import CallContext
from server.calls.call_worker import CallWorker
from server.calls.handlers import HANDLERS
from server.choices.assembly import ChoiceThreads
from server.decisions.decider import Decider
from server.decisions.fetcher import Fetcher
from server.decisions.reading import CallReader
from server.decisions.signal_observer import SignalObserver
from server.decisions.worker import DecisionParts, Limits, Worker
from server.gate.port import Gate
from server.geo.location_database import LocationSource
from server.metrics.metrics import Metrics
from server.policy.current_policy import CurrentPolicy
from server.settings import Settings
from server.store.assembly import StoreAccess
from targeting.signals.nap import Nap


class _Loop(Protocol):
    """A worker of either lane."""

    def run(self) -> None:
        """Serve until stopped."""
        ...

    def stop(self) -> None:
        """End soon."""
        ...


class LaneThreads(NamedTuple):
    """What the workers of both lanes are made of."""

    settings: Settings
    store: StoreAccess
    choices: ChoiceThreads
    rules: CurrentPolicy
    locator: LocationSource
    open_nap: Callable[[str], Nap | None]
    metrics: Metrics

    def start(self, gate: Gate, closing: ExitStack) -> None:
        """Start the workers; ``closing`` stops them."""
        settings = self.settings
        limits = Limits(settings.decision_budget_ms / 1000, settings.max_batch)
        reader = CallReader(self.locator)
        loops: list[_Loop] = [
            Worker(gate, self._decision_parts(), reader, self.metrics, limits) for _ in range(settings.workers)
        ]
        loops += [CallWorker(gate, HANDLERS, self.call_context()) for _ in range(settings.other_workers)]
        for loop in loops:
            thread = threading.Thread(target=loop.run, name=type(loop).__name__.lower(), daemon=True)
            closing.callback(thread.join)
            closing.callback(loop.stop)
            thread.start()

    def _decision_parts(self) -> DecisionParts:
        fetcher = Fetcher(self.store.decisions(), self.metrics)
        observer = SignalObserver(self.metrics, self.choices.signal_opt_outs.enqueue)
        return DecisionParts(Decider(self.rules, self.open_nap), fetcher, observer)

    def call_context(self) -> CallContext:
        """Return what one thread makes calls with."""
        return CallContext(
            store=self.store.records(self.metrics),
            decisions=self._decision_parts(),
            rulebook=self.rules,
            locator=self.locator,
            open_nap=self.open_nap,
            metrics=self.metrics,
            now=time.time,
            budget_s=self.settings.write_budget_ms / 1000,
            replicas=self.settings.replicas,
            needs_disk=self.store.puts_on_disk,
            on_unconfirmed=self.choices.replication_watch.track,
            country_table_age_s=self.locator.age_s,
        )
