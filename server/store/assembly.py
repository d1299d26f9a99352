"""The store as the service uses it: one Redis, one circuit a process, one connection a thread."""

import logging
from collections.abc import Callable
from contextlib import ExitStack

from server.keys.secret_key import PSEUDONYMS, key_file
from server.settings import Settings
from server.store.circuit import Circuit, CircuitRecords, CircuitStore
from server.store.drafted_key import DraftedKey
from server.store.embedded.restarter import Restarter
from server.store.embedded.server import EmbeddedRedis
from server.store.keys import Pseudonyms
from server.store.measured import MeasuredRecords, Meter
from server.store.ports import DecisionStore, RecordStore
from server.store.redis.contents import has_records
from server.store.redis.handshake import ping
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress, parse_redis_url

PROBE_TIMEOUT_S = 0.25
_SCAN_TIMEOUT_S = 60.0
_LOG = logging.getLogger(__name__)


class StoreAccess:
    """Opens what its users ask for, and closes it all with ``closing``. Raises the typed errors of the parts."""

    def __init__(self, settings: Settings, closing: ExitStack) -> None:
        self.tend: Callable[[], None] = _leave_alone
        """Starts an embedded store again when it has ended; called now and then."""
        self.name = ""
        self.url = settings.redis_url
        """A secret: it may hold a password."""
        self._closing = closing
        self.redis = self._open_redis(settings)
        self._drafted = DraftedKey(key_file(settings), lambda: has_records(self.redis, _SCAN_TIMEOUT_S))
        self.key = self._drafted.key
        self.pseudonyms = Pseudonyms(self.key.derive(PSEUDONYMS))
        self.puts_on_disk = not settings.redis_url or settings.confirm_on_disk == "yes"
        """Whether a choice counts as confirmed only once it is on disk; the embedded store syncs every write."""
        self.on_circuit_change: Callable[[bool], None] = lambda _: None
        self._circuit = Circuit(self._probe, on_change=self._circuit_changed)
        closing.callback(self._circuit.close)
        if not self._drafted.confirmed:
            self._circuit.open()

    def decisions(self) -> DecisionStore:
        """Open a store for one thread that decides; its connection is made when it is first used."""
        return CircuitStore(self._open(), self._circuit)

    def records(self, meter: Meter) -> RecordStore:
        """Open a store for one thread that writes; its connection is made when it is first used."""
        return MeasuredRecords(CircuitRecords(self._open(), self._circuit), meter)

    def _open(self) -> RedisStore:
        store = RedisStore(self.redis, self.pseudonyms)
        self._closing.callback(store.close)
        return store

    def _probe(self) -> None:
        ping(self.redis, PROBE_TIMEOUT_S)
        self._drafted.confirm()

    def _open_redis(self, settings: Settings) -> RedisAddress:
        if settings.redis_url:
            self.name = "the Redis of ADTARGETING_REDIS_URL"
            return parse_redis_url(settings.redis_url)
        embedded = self._closing.enter_context(EmbeddedRedis(settings.data_dir))
        self.tend = Restarter(embedded).check
        self.name = f"an embedded Redis in {settings.data_dir}"
        self.url = embedded.url
        return parse_redis_url(self.url)

    def _circuit_changed(self, is_open: bool) -> None:  # noqa: FBT001  # the circuit's callback
        self.on_circuit_change(is_open)
        if is_open:
            _LOG.warning("circuit open: store %s unavailable, serving LIMITED", self.redis)
        else:
            _LOG.warning("circuit closed: store %s answers again", self.redis)


def _leave_alone() -> None:
    """Do nothing: a Redis that is not our own has its own operators."""
