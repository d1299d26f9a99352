"""A real cluster: three primaries with a replica each, to be failed over, stopped and resharded."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from server.store.ports import StoreError
from server.store.redis.cluster.slots import SLOTS, Node, SlotTable
from tests.faults.redis_process import HOST, RedisProcess, eventually

PRIMARIES = 3
_OPTIONS = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0")


class ClusterNodes:
    """The nodes, primaries first."""

    def __init__(self, nodes: list[RedisProcess]) -> None:
        self.nodes = nodes

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(f'{HOST}:{node.port}' for node in self.nodes[:PRIMARIES])}"

    def table(self, asked: int = 0) -> SlotTable:
        reply = self.nodes[asked].ask(b"CLUSTER", b"SLOTS")
        assert isinstance(reply, list)
        return SlotTable.from_reply(reply, Node(HOST, self.nodes[asked].port))

    def node_at(self, port: int) -> RedisProcess:
        return next(node for node in self.nodes if node.port == port)

    def empty(self) -> None:
        """Remove everything from every primary."""
        for node in self.table().nodes:
            self.node_at(node.port).ask(b"FLUSHALL")

    def move(self, slot: int, source: RedisProcess, target: RedisProcess) -> None:
        """Move a slot with its keys, one key after the other, as resharding does."""
        begin_moving(slot, source, target)
        for key in keys_in(slot, source):
            migrate(key, source, target)
        for node in (target, source):
            node.ask(b"CLUSTER", b"SETSLOT", b"%d" % slot, b"NODE", node_id(target))


def node_id(node: RedisProcess) -> bytes:
    answer = node.ask(b"CLUSTER", b"MYID")
    assert isinstance(answer, bytes)
    return answer


def begin_moving(slot: int, source: RedisProcess, target: RedisProcess) -> None:
    target.ask(b"CLUSTER", b"SETSLOT", b"%d" % slot, b"IMPORTING", node_id(source))
    source.ask(b"CLUSTER", b"SETSLOT", b"%d" % slot, b"MIGRATING", node_id(target))


def keys_in(slot: int, node: RedisProcess) -> list[bytes]:
    keys = node.ask(b"CLUSTER", b"GETKEYSINSLOT", b"%d" % slot, b"1000")
    assert isinstance(keys, list)
    return keys


def migrate(key: bytes, source: RedisProcess, target: RedisProcess) -> None:
    source.ask(b"MIGRATE", HOST.encode(), b"%d" % target.port, key, b"0", b"5000")


@contextmanager
def cluster_nodes(directory: Path, *options: str, replicas: int = 1) -> Iterator[ClusterNodes]:
    """Run a cluster of three primaries, each with this many replicas."""
    with ExitStack() as closing:
        count = PRIMARIES * (1 + replicas)
        nodes = [
            closing.enter_context(RedisProcess(directory / f"node-{n}", *_OPTIONS, *options)) for n in range(count)
        ]
        share = SLOTS // PRIMARIES
        for number, node in enumerate(nodes[:PRIMARIES]):
            last = SLOTS - 1 if number == PRIMARIES - 1 else (number + 1) * share - 1
            node.ask(b"CLUSTER", b"ADDSLOTSRANGE", b"%d" % (number * share), b"%d" % last)
        for number, node in enumerate(nodes):
            node.ask(b"CLUSTER", b"SET-CONFIG-EPOCH", b"%d" % (number + 1))
            nodes[0].ask(b"CLUSTER", b"MEET", HOST.encode(), b"%d" % node.port)
        made = ClusterNodes(nodes)
        eventually(lambda: _agree(nodes))
        for number, replica in enumerate(nodes[PRIMARIES:]):
            eventually(partial(replica.ask, b"CLUSTER", b"REPLICATE", node_id(nodes[number % PRIMARIES])))
        eventually(lambda: _agree(nodes))
        time.sleep(0.2)
        yield made


def _agree(nodes: list[RedisProcess]) -> None:
    for node in nodes:
        state = node.ask(b"CLUSTER", b"INFO")
        assert isinstance(state, bytes)
        if b"cluster_state:ok" not in state or b"cluster_known_nodes:%d" % len(nodes) not in state:
            raise StoreError("the nodes do not agree yet")
