"""Whether choices can be stored now on every node of a cluster; see ``server.store.redis.probe``."""

import time
from collections.abc import Callable

from server.store.ports import StoreUnavailable, StoreUntrusted
from server.store.redis.cluster.identity import ClusterIdentityRecord
from server.store.redis.cluster.pipelines import NodePipelines
from server.store.redis.cluster.slots import SLOTS, Node
from server.store.redis.cluster.topology import Cluster
from server.store.redis.probe import ServerCheck
from server.store.trust import StoreTrust


class ClusterProbe:
    """Checks a cluster, on one thread. ``has_records``: whether it holds anything of ours."""

    def __init__(
        self, cluster: Cluster, prefix: bytes, trust: StoreTrust, has_records: Callable[[], bool], replicas: int
    ) -> None:
        self._cluster = cluster
        self._prefix = prefix
        self._trust = trust
        self._replicas = replicas
        # The record is what is being settled, so it is not checked by these.
        self._nodes = NodePipelines(cluster, prefix, lambda _: None)
        self._record = ClusterIdentityRecord(self._nodes, prefix, has_records)
        self._servers: dict[Node, ServerCheck] = {}

    @property
    def can_confirm(self) -> bool:
        """Whether every node could confirm a choice, as far as they have told."""
        return all(server.can_confirm for server in self._servers.values())

    def check(self, timeout_s: float) -> None:
        """Raise ``StoreError`` unless a choice of any subject could be stored."""
        nodes = self._cluster.primaries()
        table = self._cluster.table
        if any(table.node_of(slot) is None for slot in range(SLOTS)):
            raise StoreUnavailable("some slots of the cluster are served by no node")
        self._trust.settle(self._record)
        if self._trust.problem:
            raise StoreUntrusted(self._trust.problem)
        for node in nodes:
            # Each has the whole time: a node that is down must not hide what the others say.
            self._server(node).check(time.monotonic() + timeout_s)

    def close(self) -> None:
        """Close all connections."""
        self._nodes.close()
        for server in self._servers.values():
            server.close()

    def _server(self, node: Node) -> ServerCheck:
        if node not in self._servers:
            identity_key = self._cluster.table.identity_key(node, self._prefix) or b""
            key = identity_key.removesuffix(b"store") + b"probe"
            self._servers[node] = ServerCheck(
                lambda: self._cluster.open(node), self._cluster.renewal, key, self._replicas, in_cluster=True
            )
        return self._servers[node]
