"""One pipeline a node: commands for several keys, sent to all nodes first and then answered by each.

Follows redirections within the deadline. Invariant: a command that no trusted primary has answered has no reply, which
is a ``StoreError`` in its place and never looks like absence. For one thread.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from server.store.ports import StoreError, StoreTimeout, StoreUnavailable
from server.store.redis.batch_read import CheckIdentity, check_source
from server.store.redis.cluster.redirects import Redirect, redirect_of
from server.store.redis.cluster.slots import Node, slot_of
from server.store.redis.cluster.topology import Cluster
from server.store.redis.connection import Connection, Reply, pack
from server.store.redis.connector import Connector

_MAX_ROUNDS = 5
_ASKING = pack((b"ASKING",))
_ROLE = pack((b"ROLE",))


class Command(NamedTuple):
    """A packed command, and the key by which its slot is known."""

    key: bytes
    packed: bytes


class NodePipelines:
    """Connections to the nodes, each made when it is first needed."""

    def __init__(self, cluster: Cluster, prefix: bytes, check_identity: CheckIdentity) -> None:
        self._cluster = cluster
        self._check_identity = check_identity
        self._prefix = prefix
        self._connectors: dict[Node, Connector] = {}

    def run(self, commands: Sequence[Command], deadline_s: float) -> list[Reply | StoreError]:
        """Return the reply to each command, or the ``StoreError`` that it met with."""
        replies: list[Reply | StoreError] = [StoreUnavailable("no node of the cluster serves the slot")] * len(commands)
        waiting = self._placed(commands, deadline_s)
        for _ in range(_MAX_ROUNDS):
            redirected = self._round(commands, waiting, replies, deadline_s)
            if not redirected:
                break
            if not all(redirect.asking for redirect in redirected.values()):
                self._cluster.refresh_soon()
            waiting = redirected
        return replies

    def node_of(self, key: bytes, deadline_s: float) -> Node:
        """Return the node that serves a key. Raises ``StoreError``."""
        node = self._cluster.table_by(deadline_s).node_of(slot_of(key))
        if node is None:
            raise StoreUnavailable("no node of the cluster serves the slot")
        return node

    def replicas_of(self, node: Node) -> int:
        """Return how many replicas of a node could be promoted, as the cluster last reported."""
        return self._cluster.table.replicas_of(node)

    def connect(self, node: Node, deadline_s: float) -> Connection:
        """Return the connection to a node. Raises ``StoreError``."""
        if node not in self._connectors:
            self._connectors[node] = Connector(lambda: self._cluster.open(node), self._cluster.renewal)
        return self._connectors[node].connect(deadline_s)

    def close(self) -> None:
        """Close all connections."""
        for connector in self._connectors.values():
            connector.close()

    def _placed(self, commands: Sequence[Command], deadline_s: float) -> dict[int, Redirect]:
        table = self._cluster.table_by(deadline_s)
        nodes = ((index, table.node_of(slot_of(command.key))) for index, command in enumerate(commands))
        return {index: Redirect(node) for index, node in nodes if node is not None}

    def _round(
        self,
        commands: Sequence[Command],
        waiting: Mapping[int, Redirect],
        replies: list[Reply | StoreError],
        deadline_s: float,
    ) -> dict[int, Redirect]:
        """Ask every node once; return the commands that have to be asked elsewhere, and where."""
        by_node: dict[Redirect, list[int]] = {}
        for index, redirect in waiting.items():
            by_node.setdefault(redirect, []).append(index)
        posted = {
            where: self._post(where, [commands[index] for index in by_node[where]], deadline_s) for where in by_node
        }
        redirected: dict[int, Redirect] = {}
        for where, indexes in by_node.items():
            answers = self._collect(where, posted[where], len(indexes), deadline_s)
            for index, answer in zip(indexes, answers, strict=True):
                replies[index] = answer
                if (elsewhere := redirect_of(answer, where.node)) is not None:
                    redirected[index] = elsewhere
        return redirected

    def _post(self, where: Redirect, commands: Sequence[Command], deadline_s: float) -> Connection | StoreError:
        try:
            connection = self.connect(where.node, deadline_s)
            identity_key = self._cluster.table.identity_key(where.node, self._prefix)
            if identity_key is None:
                return StoreUnavailable("the node serves no record of the store yet")
            parts = [_ASKING + command.packed if where.asking else command.packed for command in commands]
            head = _ROLE + pack((b"GET", identity_key))
            connection.post(head + b"".join(parts), 2 + len(commands) * (1 + where.asking), deadline_s)
        except StoreError as problem:
            self._cluster.refresh_soon()
            return problem
        return connection

    def _collect(
        self, where: Redirect, posted: Connection | StoreError, count: int, deadline_s: float
    ) -> Sequence[Reply | StoreError]:
        if isinstance(posted, StoreError):
            return [posted] * count
        try:
            role, identity, *answers = posted.collect(2 + count * (1 + where.asking), deadline_s)
            if redirect_of(identity, where.node) is not None:
                self._cluster.refresh_soon()
            check_source(posted, role, identity, self._check_identity)
        except StoreError as problem:
            if not isinstance(problem, StoreTimeout):
                self._cluster.refresh_soon()
            return [problem] * count
        return answers[where.asking :: 1 + where.asking]
