"""The composition root: the only place that makes clients, registries and gates; opens and closes them in order."""

import gc
import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from prometheus_client import start_http_server

from server.calls.call_context import CallContext
from server.calls.call_worker import CallWorker
from server.calls.handlers import HANDLERS
from server.choices.choice_store import ChoiceStore
from server.choices.replication_watch import ReplicationWatch
from server.choices.signal_opt_outs import SignalOptOuts
from server.decisions.decider import Decider
from server.decisions.worker import Limits, Worker
from server.gate.grpcio import AioGate, Capacity
from server.gate.port import HEALTH_CHECKED, Gate
from server.geo.ip_location import IpLocator, open_locator
from server.health import PROBE_TIMEOUT_S, StoreWatch
from server.keys.secret_key import NETWORK_IDS, PSEUDONYMS, read_or_create
from server.metrics.metrics import Metrics
from server.policy.current_policy import CurrentPolicy
from server.settings import Settings, SettingsError
from server.store.circuit import Circuit, CircuitRecords, CircuitStore, ping
from server.store.embedded.restarter import Restarter
from server.store.embedded.server import EmbeddedRedis
from server.store.keys import Pseudonyms
from server.store.measured import MeasuredRecords
from server.store.ports import RecordStore
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress, parse_redis_url
from server.web.assembly import PAGE_THREADS, open_pages
from targeting.signals.nap import Nap

_LOG = logging.getLogger(__name__)
_TARGETING, *_WRITING = HEALTH_CHECKED[1:]


class Service:
    """The whole service: a context manager that is open while it serves."""

    def __init__(self, settings: Settings, *, locator: IpLocator | None = None) -> None:
        """``locator`` stands in for the country database of the settings."""
        self._settings = settings
        self._given_locator = locator
        self._closing = ExitStack()
        self._tend_store: Callable[[], None] = _nothing_to_tend
        self.metrics = Metrics()
        self.gate_name = "aio"
        self.store_name = ""
        self.address = ""
        self.metrics_address = ""
        self.web_address = ""

    def __enter__(self) -> "Service":
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Start everything. Raises the typed errors of the parts; what was started is then closed by ``close``."""
        settings = self._settings
        key = read_or_create(settings.secret_key_path, settings.secret_key_setting)
        self.rules = CurrentPolicy(settings.policy, key.derive(NETWORK_IDS), self.metrics)
        self._locator = self._given_locator or open_locator(settings.geo_db)
        self._open_nap = self._nap_opener() if settings.nap_keys else _no_nap
        self.pseudonyms = Pseudonyms(key.derive(PSEUDONYMS))
        self.redis = self._open_redis()
        self._gate = self._open_gate()
        self._start_metrics()
        self._start_threads()
        self._watch_health()
        # What is here now stays; the collector need not look at it again.
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        """Let calls under way end, and stop everything, the last opened first. May be called twice."""
        self._closing.close()

    def reload(self) -> None:
        """Read the policy again."""
        self.rules.reload()

    def drain(self, hurry: threading.Event) -> None:
        """Say NOT_SERVING and go on serving for a while, so that callers can leave; no longer once ``hurry`` is set."""
        self._watch.close()
        for service in HEALTH_CHECKED:
            self._gate.set_health(service, serving=False)
        hurry.wait(self._settings.drain_delay_s)

    def _open_redis(self) -> RedisAddress:
        if self._settings.redis_url:
            self.store_name = "the Redis of ADTARGETING_REDIS_URL"
            return parse_redis_url(self._settings.redis_url)
        embedded = self._closing.enter_context(EmbeddedRedis(self._settings.data_dir))
        self._tend_store = Restarter(embedded).check
        self.store_name = f"an embedded Redis in {self._settings.data_dir}"
        return parse_redis_url(embedded.url)

    def _open_gate(self) -> Gate:
        settings = self._settings
        if settings.gate == "native":
            raise SettingsError("ADTARGETING_GATE: the native gate is not built here; use auto or aio")
        gate = AioGate(settings.grpc_address, Capacity(settings.max_inflight, settings.max_inflight_mib << 20))
        self.address = gate.open()
        # If the start fails later on; closing twice does nothing.
        self._closing.callback(gate.close, 0)
        self.metrics.inflight.set_function(gate.inflight)
        self.metrics.calls.count = gate.ended
        return gate

    def _start_metrics(self) -> None:
        host, _, port = self._settings.metrics_address.rpartition(":")
        try:
            server, thread = start_http_server(int(port), host, self.metrics.registry)
        except (OSError, ValueError, OverflowError) as problem:
            raise SettingsError(
                f"ADTARGETING_METRICS_ADDRESS: cannot listen on {self._settings.metrics_address}; set another host:port"
            ) from problem
        self.metrics_address = f"{host}:{server.server_port}"
        self._closing.callback(thread.join)
        self._closing.callback(server.server_close)
        self._closing.callback(server.shutdown)

    def _start_threads(self) -> None:
        settings, gate = self._settings, self._gate
        circuit = Circuit(lambda: ping(self.redis, PROBE_TIMEOUT_S), on_change=self._circuit_changed)
        self._closing.callback(circuit.close)
        self._unconfirmed = ReplicationWatch(self._choices(circuit), self.metrics)
        self._sticky = SignalOptOuts(self._choices(circuit), self.metrics, self._unconfirmed.watch)
        for background in (self._unconfirmed, self._sticky):
            background.start()
            self._closing.callback(background.close)
        limits = Limits(settings.decision_budget_ms / 1000, settings.max_batch)
        loops: list[Worker | CallWorker] = [
            *(
                Worker(gate, self._decider(circuit), self._locator, self.metrics, limits)
                for _ in range(settings.workers)
            ),
            *(CallWorker(gate, HANDLERS, self._tools(circuit)) for _ in range(settings.other_workers)),
        ]
        threads = [threading.Thread(target=loop.run, name=type(loop).__name__.lower(), daemon=True) for loop in loops]
        for loop, thread in zip(loops, threads, strict=True):
            self._closing.callback(thread.join)
            self._closing.callback(loop.stop)
            thread.start()
        self._closing.callback(gate.close, settings.drain_grace_s)
        if settings.web_address:
            contexts = [self._tools(circuit) for _ in range(PAGE_THREADS)]
            self.web_address = open_pages(settings, contexts, self._closing)

    def _decider(self, circuit: Circuit) -> Decider:
        store = self._store()
        return Decider(CircuitStore(store, circuit), self.rules, self._open_nap, self.metrics, self._sticky.offer)

    def _tools(self, circuit: Circuit) -> CallContext:
        return CallContext(
            store=self._records(circuit),
            decider=self._decider(circuit),
            rulebook=self.rules,
            locator=self._locator,
            open_nap=self._open_nap,
            metrics=self.metrics,
            now=time.time,
            budget_s=self._settings.write_budget_ms / 1000,
            replicas=self._settings.replicas,
            needs_disk=self._needs_disk,
            on_unconfirmed=self._unconfirmed.watch,
        )

    def _choices(self, circuit: Circuit) -> ChoiceStore:
        settings = self._settings
        budget_s = settings.write_budget_ms / 1000
        return ChoiceStore(self._records(circuit), self.rules, settings.replicas, self._needs_disk, budget_s)

    @property
    def _needs_disk(self) -> bool:
        """The embedded store puts every write on disk before it answers; of another, the operator says."""
        return not self._settings.redis_url or self._settings.confirm_on_disk == "yes"

    def _records(self, circuit: Circuit) -> RecordStore:
        return MeasuredRecords(CircuitRecords(self._store(), circuit), self.metrics)

    def _store(self) -> RedisStore:
        """Open a store for one thread; its connection is made when it is first used."""
        store = RedisStore(self.redis, self.pseudonyms)
        self._closing.callback(store.close)
        return store

    def _nap_opener(self) -> Callable[[str], Nap | None]:
        # The cipher's library takes several MiB, which only those pay who have keys.
        from server.keys.nap import NapCipher, read_keys  # noqa: PLC0415  # as above

        return NapCipher(read_keys(Path(self._settings.nap_keys)), self._count_unread_nap).decrypt

    def _count_unread_nap(self) -> None:
        self.metrics.count_decode_error("nap")

    def _circuit_changed(self, is_open: bool) -> None:  # noqa: FBT001  # the circuit's callback
        self.metrics.circuit_open.set(is_open)
        news = "it keeps decisions waiting, or refuses: they are limited" if is_open else "decisions ask it again"
        _LOG.warning("store %s: %s", self.redis, news)

    def _watch_health(self) -> None:
        """Decisions are always served; writes only while the store answers."""
        self._gate.set_health("", serving=True)
        self._gate.set_health(_TARGETING, serving=True)
        self._watch = StoreWatch(self._gate, _WRITING, self.redis, self._tend_store)
        self._watch.start()
        self._closing.callback(self._watch.close)


def _nothing_to_tend() -> None:
    """Leave a Redis that is not our own to others."""


def _no_nap(_: str) -> Nap | None:
    """Without keys no NAP cookie can be read."""
    return None
