"""The cluster as the process knows it: its nodes and their slots, asked for again when a node redirects or is gone."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from server.store.ports import StoreError, StoreTimeout, StoreUnreachable
from server.store.redis.batch_read import CheckIdentity
from server.store.redis.cluster.slots import Node, SlotTable
from server.store.redis.connection import Connection
from server.store.redis.handshake import open_connection, open_primary
from server.store.redis.renewal import Renewal
from server.store.redis.topology import Address
from server.store.redis.url import RedisAddress

_TIMEOUT_S = 1.0
_LEAST_S = 0.05
"""The table is asked for no more often: many threads find out at once that it is old."""


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """Nodes to begin with, and how to log in at every node: ``login`` has everything but host and port."""

    seeds: tuple[Node, ...]
    login: Address
    uses_tls: bool = False
    """Whether ``login`` asks for TLS, for people."""

    def resolve(self) -> RedisAddress:
        """Return the first node that answers, for what any node can tell. Raises ``StoreUnreachable``."""
        problem: StoreError | None = None
        for seed in self.seeds:
            address = self.at(seed)
            try:
                open_connection(address, _TIMEOUT_S).close()
            except StoreError as found:
                problem = found
                continue
            return address
        raise _none_answers(problem)

    def at(self, node: Node) -> RedisAddress:
        """Return the address of a node. Raises ``StoreError`` when the password cannot be read."""
        return replace(self.login.resolve(), host=node.host, port=node.port)

    def __str__(self) -> str:
        """Return the URL without user, password and options."""
        scheme = "rediss+cluster" if self.uses_tls else "redis+cluster"
        return f"{scheme}://" + ",".join(f"{node.host}:{node.port}" for node in self.seeds)


class Cluster:
    """One cluster, shared by the threads of a process."""

    def __init__(self, address: ClusterAddress, check_identity: CheckIdentity) -> None:
        self.renewal = Renewal()
        self.check_identity = check_identity
        self._address = address
        self._table = SlotTable()
        self._asked_s = 0.0
        self._lock = threading.Lock()
        self._known = threading.Event()
        self._refreshing = threading.Semaphore()

    @property
    def table(self) -> SlotTable:
        """The slots as they were last reported; without nodes before that."""
        return self._table

    def table_by(self, deadline_s: float) -> SlotTable:
        """Return the slots, once any node has reported them. Raises ``StoreTimeout`` at the deadline."""
        if not self._table.nodes:
            self.refresh_soon()
            if not self._known.wait(deadline_s - time.monotonic()):
                raise StoreTimeout("the slots of the cluster are not known yet")
        return self._table

    def refresh_soon(self) -> None:
        """Have a thread ask for the slots again: no call waits for a node that is gone."""
        if not self._refreshing.acquire(blocking=False):
            return
        threading.Thread(target=self._refresh_quietly, name="cluster-slots", daemon=True).start()

    def refresh(self) -> None:
        """Ask for the slots again. Raises ``StoreUnreachable`` when no node answers."""
        with self._lock:
            if self._table.nodes and time.monotonic() - self._asked_s < _LEAST_S:
                return
            self._table = self._asked()
            self._asked_s = time.monotonic()
            self._known.set()

    def open(self, node: Node) -> Connection:
        """Open a connection to a primary. Raises ``StoreError``."""
        return open_primary(self._address.at(node), _TIMEOUT_S)

    def primaries(self) -> list[Node]:
        """Return the nodes that serve slots, as they are now. Raises ``StoreError``."""
        self.refresh()
        return sorted(self.table.nodes)

    def _refresh_quietly(self) -> None:
        try:
            self.refresh()
        except StoreError:
            # The table of before is as good as any: each answer says whether it holds.
            return
        finally:
            self._refreshing.release()

    def _asked(self) -> SlotTable:
        problem: StoreError | None = None
        for node in self._candidates():
            try:
                with closing(open_connection(self._address.at(node), _TIMEOUT_S)) as connection:
                    return read_slots(connection, node, time.monotonic() + _TIMEOUT_S)
            except StoreError as found:
                problem = found
        raise _none_answers(problem)

    def _candidates(self) -> Iterator[Node]:
        yield from self._table.nodes
        yield from self._address.seeds


def read_slots(connection: Connection, node: Node, deadline_s: float) -> SlotTable:
    """Ask a node for the slots. Raises ``StoreError``."""
    reply = connection.ask((b"CLUSTER", b"SLOTS"), deadline_s)
    with connection.decoding():
        return SlotTable.from_reply(reply, node)


def _none_answers(last: StoreError | None) -> StoreUnreachable:
    return StoreUnreachable(f"no node of the cluster answers; the last one: {last}")
