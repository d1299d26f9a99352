"""What the service needs of a store, whatever its topology: one primary, or a cluster."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Protocol

from server.store.keys import Pseudonyms, identity_key
from server.store.ports import DecisionStore, RecordStore
from server.store.redis.batch_read import CheckIdentity
from server.store.redis.cluster.identity import ClusterIdentityRecord
from server.store.redis.cluster.pipelines import NodePipelines
from server.store.redis.cluster.probe import ClusterProbe
from server.store.redis.cluster.store import ClusterStore
from server.store.redis.cluster.topology import Cluster, ClusterAddress
from server.store.redis.contents import has_records
from server.store.redis.handshake import ping
from server.store.redis.identity_record import IdentityRecord
from server.store.redis.primary import Primary
from server.store.redis.probe import StoreProbe
from server.store.redis.server_facts import Facts, gather
from server.store.redis.store import RedisStore
from server.store.redis.topology import Address
from server.store.trust import StoreTrust

_SCAN_TIMEOUT_S = 60.0


class OpenStore(DecisionStore, RecordStore, Protocol):
    """A store for one thread."""

    def close(self) -> None:
        """Close its connections."""
        ...


class WritableRecord(Protocol):
    """The store's own record: see ``server.store.trust.IdentityStore``."""

    has_records: Callable[[], bool]

    def read(self) -> bytes | None:
        """Return the record."""
        ...

    def add(self, record: bytes) -> bytes:
        """Write it unless there is one."""
        ...

    def replace(self, record: bytes) -> None:
        """Write it over the one that is there."""
        ...

    def now_ms(self) -> int:
        """Return the server's time."""
        ...


class Backend(Protocol):
    """A store of some topology. Everything raises ``StoreError``."""

    def open_store(self, pseudonyms: Pseudonyms) -> OpenStore:
        """Open the store for one thread; it connects when it is first used."""
        ...

    def probe(self, trust: StoreTrust, replicas: int) -> StoreProbe | ClusterProbe:
        """Return the health check, for one thread."""
        ...

    def identity(self) -> AbstractContextManager[WritableRecord]:
        """Open the store's own record."""
        ...

    def ping(self, timeout_s: float) -> None:
        """Ask for a sign of life."""
        ...

    def servers(self) -> list[Address]:
        """Return every primary."""
        ...

    def has_records(self) -> bool:
        """Whether any key under our prefix exists."""
        ...

    def facts(self) -> list[Facts]:
        """Gather what every primary reports about itself."""
        ...


class SingleBackend:
    """One primary, which its address names or sentinels do."""

    def __init__(self, address: Address, prefix: bytes, check_identity: CheckIdentity) -> None:
        self._address = address
        self._prefix = prefix
        self._primary = Primary(address, check_identity)

    def open_store(self, pseudonyms: Pseudonyms) -> RedisStore:
        """See ``Backend``."""
        return RedisStore(self._primary, pseudonyms)

    def probe(self, trust: StoreTrust, replicas: int) -> StoreProbe:
        """See ``Backend``."""
        return StoreProbe(self._primary, self._prefix, trust, self.has_records, replicas)

    @contextmanager
    def identity(self) -> Iterator[IdentityRecord]:
        """See ``Backend``."""
        with closing(self._primary.open()) as connection:
            yield IdentityRecord(connection, identity_key(self._prefix), self.has_records)

    def ping(self, timeout_s: float) -> None:
        """See ``Backend``."""
        ping(self._address, timeout_s)

    def servers(self) -> list[Address]:
        """See ``Backend``."""
        return [self._address]

    def has_records(self) -> bool:
        """See ``Backend``."""
        return has_records(self._address, _SCAN_TIMEOUT_S, self._prefix)

    def facts(self) -> list[Facts]:
        """See ``Backend``."""
        return [gather(self._address, self._prefix)]


class ClusterBackend:
    """A cluster."""

    def __init__(self, address: ClusterAddress, prefix: bytes, check_identity: CheckIdentity) -> None:
        self._address = address
        self._prefix = prefix
        self._cluster = Cluster(address, check_identity)

    def open_store(self, pseudonyms: Pseudonyms) -> ClusterStore:
        """See ``Backend``."""
        return ClusterStore(self._cluster, pseudonyms)

    def probe(self, trust: StoreTrust, replicas: int) -> ClusterProbe:
        """See ``Backend``."""
        return ClusterProbe(self._cluster, self._prefix, trust, self.has_records, replicas)

    @contextmanager
    def identity(self) -> Iterator[ClusterIdentityRecord]:
        """See ``Backend``."""
        with closing(NodePipelines(self._cluster, self._prefix, lambda _: None)) as nodes:
            yield ClusterIdentityRecord(nodes, self._prefix, self.has_records)

    def ping(self, timeout_s: float) -> None:
        """Ask for any node's sign of life: one that is gone is no reason not to ask the others."""
        ping(self._address, timeout_s)

    def servers(self) -> list[Address]:
        """See ``Backend``."""
        return [self._address.at(node) for node in self._cluster.primaries()]

    def has_records(self) -> bool:
        """See ``Backend``."""
        return any(has_records(server, _SCAN_TIMEOUT_S, self._prefix) for server in self.servers())

    def facts(self) -> list[Facts]:
        """See ``Backend``."""
        nodes, table = self._cluster.primaries(), self._cluster.table
        own_keys = [table.identity_key(node, self._prefix) for node in nodes]
        facts = [
            gather(self._address.at(node), self._prefix, own_key=own_key)
            for node, own_key in zip(nodes, own_keys, strict=True)
        ]
        # A node without the record, among others that have it, has lost what it held, however empty it is.
        is_used = any(each.identity is not None for each in facts)
        return [
            each._replace(has_records=is_used or each.has_records, promotable=table.replicas_of(node))
            for node, each in zip(nodes, facts, strict=True)
        ]


def backend_of(address: Address, prefix: bytes, check_identity: CheckIdentity) -> Backend:
    """Return the backend for an address."""
    if isinstance(address, ClusterAddress):
        return ClusterBackend(address, prefix, check_identity)
    return SingleBackend(address, prefix, check_identity)
