"""The store as the service uses it: one Redis, one circuit a process, one connection a thread."""

import logging
from collections.abc import Callable
from contextlib import ExitStack

from server.keys.secret_key import PSEUDONYMS, key_file
from server.settings import Settings, SettingsError
from server.store.circuit import Circuit, CircuitRecords, CircuitStore
from server.store.drafted_key import DraftedKey
from server.store.embedded.restarter import Restarter
from server.store.embedded.server import EmbeddedRedis
from server.store.keys import Pseudonyms
from server.store.measured import MeasuredRecords, Meter
from server.store.ports import DecisionStore, RecordStore, StoreError
from server.store.record_cipher import PURPOSE, RecordCipher
from server.store.redis.backend import OpenStore, backend_of
from server.store.redis.cluster.topology import ClusterAddress
from server.store.redis.preflight import Expected, Level, examine
from server.store.redis.store_url import parse_store_url
from server.store.redis.topology import Address
from server.store.refusals import WriteRefusals
from server.store.sealed import SealedDecisions, SealedRecords
from server.store.settling import new_trust, settle

PROBE_TIMEOUT_S = 0.25
_LOG = logging.getLogger(__name__)


class StoreAccess:
    """Opens what its users ask for, and closes it all with ``closing``. Raises the typed errors of the parts."""

    def __init__(self, settings: Settings, closing: ExitStack) -> None:
        self.tend: Callable[[], None] = _leave_alone
        """Starts an embedded store again when it has ended; called now and then."""
        self.name = store_name(settings)
        self.url = settings.redis_url
        """A secret: it may hold a password."""
        self._settings = settings
        self._closing = closing
        self.redis = self._open_redis(settings)
        self.backend = backend_of(self.redis, settings.key_prefix.encode(), self._check_identity)
        self._drafted = DraftedKey(key_file(settings), self.backend.has_records)
        self.key = self._drafted.key
        self.pseudonyms = Pseudonyms(self.key.derive(PSEUDONYMS), settings.key_prefix)
        self._cipher = RecordCipher(self.key.derive(PURPOSE))
        self.trust = new_trust(settings, self.key.fingerprint)
        self.probe = self.backend.probe(self.trust, settings.replicas)
        """The health check, for the thread that watches the store; closed by it."""
        self.puts_on_disk = not settings.redis_url or settings.confirm_on_disk == "yes"
        """Whether a choice counts as confirmed only once it is on disk; the embedded store syncs every write."""
        # Only a budget that is nearly whole says something about the store, and not about a caller in a hurry.
        self._full_budget_s = 0.8 * settings.decision_budget_ms / 1000
        self.on_circuit_change: Callable[[bool], None] = lambda _: None
        self.refusals = WriteRefusals()
        self._circuit = Circuit(self._probe, on_change=self._circuit_changed)
        closing.callback(self._circuit.close)
        self._settle_at_start()

    def decisions(self) -> DecisionStore:
        """Open a store for one thread that decides; its connection is made when it is first used."""
        return CircuitStore(SealedDecisions(self._open(), self._cipher), self._circuit, self._full_budget_s)

    def records(self, meter: Meter) -> RecordStore:
        """Open a store for one thread that writes; its connection is made when it is first used."""
        return MeasuredRecords(CircuitRecords(self.sealing(self._open()), self._circuit, self.refusals), meter)

    def sealing(self, store: RecordStore) -> RecordStore:
        """Return a store that opens and seals the records of another."""
        return SealedRecords(store, self._cipher, seals=self._settings.encrypt_records == "yes")

    def can_confirm(self) -> bool:
        """Whether the store could ever confirm a choice: it has a file to sync, or replicas are required of it."""
        return self.probe.can_confirm

    def _open(self) -> OpenStore:
        store = self.backend.open_store(self.pseudonyms)
        self._closing.callback(store.close)
        return store

    def _check_identity(self, record: bytes | None) -> None:
        self.trust.check(record)

    def _settle_at_start(self) -> None:
        """Read the store's record if the store answers. Raises ``SettingsError`` when it belongs to another key."""
        if not self._drafted.confirmed:
            self._circuit.open()
            return
        try:
            self._settle()
        except StoreError as problem:
            _LOG.warning("store %s: %s; decisions are LIMITED until it answers", self.redis, problem)
            return
        if self.trust.has_another_key:
            raise SettingsError(
                f"{self._settings.secret_key_setting}: this store does not belong to this secret key: "
                f"{self.trust.problem}; use the key that the store was written with, or another store"
            )
        self._warn()

    def _warn(self) -> None:
        """Log what preflight finds. An empty store is no news at a start."""
        expected = Expected(self._settings.replicas, self.key.fingerprint)
        is_cluster = isinstance(self.redis, ClusterAddress)
        for facts in self.backend.facts():
            for check in examine(facts._replace(keys=None), expected, is_cluster=is_cluster):
                if check.level is not Level.OK:
                    _LOG.warning("store %s: %s; %s", self.redis, check.what, check.remedy)

    def _settle(self) -> None:
        settle(self.trust, self.backend)

    def _probe(self) -> None:
        self.backend.ping(PROBE_TIMEOUT_S)
        self._drafted.confirm()
        self._settle()

    def _open_redis(self, settings: Settings) -> Address:
        if settings.redis_url:
            return parse_store_url(settings.redis_url, settings.redis_password_file)
        embedded = self._closing.enter_context(EmbeddedRedis(settings.data_dir))
        self.tend = Restarter(embedded).check
        self.url = embedded.url
        return embedded.address

    def _circuit_changed(self, is_open: bool) -> None:  # noqa: FBT001  # the circuit's callback
        self.on_circuit_change(is_open)
        if is_open:
            _LOG.warning("circuit open: store %s unavailable, serving LIMITED", self.redis)
        else:
            _LOG.warning("circuit closed: store %s answers again", self.redis)


def store_name(settings: Settings) -> str:
    """Return the name of the store for its operator: what it is, and the setting or the place that says which."""
    return "the Redis of ADTARGETING_REDIS_URL" if settings.redis_url else f"an embedded Redis in {settings.data_dir}"


def _leave_alone() -> None:
    """Do nothing: a Redis that is not our own has its own operators."""
