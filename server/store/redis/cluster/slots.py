"""Slots of a Redis Cluster: where a key belongs, and which node serves it (Redis Cluster specification).

Pure: made from what a node reports.
"""

from binascii import crc_hqx
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

SLOTS = 16_384
_PORTS = 65_536
IDENTITIES = 256
"""The store's own record stands in enough evenly spaced slots that every node of a usual cluster has some."""


class Node(NamedTuple):
    """The address of a node."""

    host: str
    port: int


class SlotTable:
    """Which primary serves which slot, as one node reported it."""

    def __init__(
        self, ranges: Iterable[tuple[int, int, Node]] = (), replicas: Mapping[Node, int] = MappingProxyType({})
    ) -> None:
        self._nodes: list[Node | None] = [None] * SLOTS
        for first, last, node in ranges:
            self._nodes[first : last + 1] = [node] * (last + 1 - first)
        self._replicas = replicas
        self._identity_keys: dict[bytes, dict[Node, bytes]] = {}
        self.nodes: frozenset[Node] = frozenset(node for node in self._nodes if node is not None)

    @classmethod
    def from_reply(cls, reply: Sequence[Any], asked: Node) -> "SlotTable":
        """Read a reply to CLUSTER SLOTS. A node that does not know its own address reports none: it is ``asked``.

        Raises ``ValueError``, ``TypeError`` or ``AttributeError`` for a reply of another form.
        """
        ranges: list[tuple[int, int, Node]] = []
        counts: dict[Node, int] = {}
        for first, last, (host, port, *_), *replicas in reply:
            if not (0 <= first <= last < SLOTS and 0 < port < _PORTS):
                raise ValueError("no such slots, or no such port")
            node = Node(host.decode() or asked.host, port)
            ranges.append((first, last, node))
            counts[node] = len(replicas)
        return cls(ranges, counts)

    def node_of(self, slot: int) -> Node | None:
        """Return the primary of a slot; None where no node serves it."""
        return self._nodes[slot]

    def replicas_of(self, node: Node) -> int:
        """Return how many replicas of a node are reported: those that have failed are not."""
        return self._replicas.get(node, 0)

    def identity_key(self, node: Node, prefix: bytes) -> bytes | None:
        """Return a key of the store's own record that this node serves; None where it serves none."""
        if prefix not in self._identity_keys:
            placed = ((self.node_of(slot_of(key)), key) for key in identity_keys(prefix))
            self._identity_keys[prefix] = {node: key for node, key in placed if node is not None}
        return self._identity_keys[prefix].get(node)


def slot_of(key: bytes) -> int:
    """Return the slot of a key: CRC-16 (XMODEM) of its hash tag."""
    _, brace, rest = key.partition(b"{")
    tag, closing, _ = rest.partition(b"}")
    return crc_hqx(tag if brace and closing and tag else key, 0) % SLOTS


@cache
def identity_keys(prefix: bytes) -> tuple[bytes, ...]:
    """Return the keys of the store's own record, one in each of ``IDENTITIES`` parts of the slots."""
    found: dict[int, bytes] = {}
    number = 0
    while len(found) < IDENTITIES:
        key = prefix + b":{meta%d}:store" % number
        found.setdefault(slot_of(key) * IDENTITIES // SLOTS, key)
        number += 1
    return tuple(found[part] for part in range(IDENTITIES))
