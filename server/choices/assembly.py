"""The writers of choices that no caller waits for, on threads of their own."""

from collections.abc import Callable
from contextlib import ExitStack

from server.choices.choice_store import ChoiceStore
from server.choices.replication_watch import ReplicationWatch
from server.choices.signal_opt_outs import SignalOptOuts
from server.metrics.metrics import Metrics
from server.settings import Settings
from server.store.assembly import StoreAccess
from targeting.decision import Rulebook


class ChoiceThreads:
    """Runs from its making until ``closing`` is closed."""

    def __init__(
        self,
        settings: Settings,
        store: StoreAccess,
        rulebook: Callable[[], Rulebook],
        metrics: Metrics,
        closing: ExitStack,
    ) -> None:
        def choices() -> ChoiceStore:
            budget_s = settings.write_budget_ms / 1000
            records = store.records(metrics)
            return ChoiceStore(records, rulebook, settings.replicas, store.puts_on_disk, budget_s)

        self.replication_watch = ReplicationWatch(choices(), metrics)
        self.replication_watch.can_confirm = store.can_confirm
        self.signal_opt_outs = SignalOptOuts(choices(), metrics, self.replication_watch.track)
        for background in (self.replication_watch, self.signal_opt_outs):
            background.start()
            closing.callback(background.close)
