"""Write small databases in MaxMind format, version 2.0 (https://maxmind.github.io/MaxMind-DB/)."""

from collections.abc import Mapping
from ipaddress import IPv4Network, ip_network
from typing import TypeAlias

Value: TypeAlias = "str | int | list[Value] | Mapping[str, Value]"
_Node: TypeAlias = "list[_Node | int | None]"

BUILT_AT_S = 1_700_000_000
_MARKER = b"\xab\xcd\xefMaxMind.com"
_RECORD_BYTES = 3
_SEPARATOR_BYTES = 16
_STRING, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 5, 6, 7, 9, 11


def mmdb(networks: Mapping[str, Value], *, ip_version: int = 6, built_at_s: int = BUILT_AT_S) -> bytes:
    """Build a database from records by network (CIDR); list a shorter prefix before the longer ones inside it."""
    root: _Node = [None, None]
    data = b""
    for network, record in networks.items():
        _insert(root, _path(network, ip_version), len(data))
        data += _encoded(record)
    nodes = _flattened(root)
    tree = b"".join(_pointer(side, nodes) for node in nodes for side in node)
    metadata = {
        "binary_format_major_version": _number(_UINT16, 2),
        "binary_format_minor_version": _number(_UINT16, 0),
        "build_epoch": _number(_UINT64, built_at_s),
        "database_type": _encoded("Test-City"),
        "description": _encoded({"en": "made for tests"}),
        "ip_version": _number(_UINT16, ip_version),
        "languages": _encoded(["en"]),
        "node_count": _number(_UINT32, len(nodes)),
        "record_size": _number(_UINT16, _RECORD_BYTES * 8),
    }
    return tree + bytes(_SEPARATOR_BYTES) + data + _MARKER + _map(metadata)


def _path(network: str, ip_version: int) -> str:
    """Return the bits of the prefix; an IPv6 tree has IPv4 in ::/96."""
    parsed = ip_network(network)
    bits = f"{int(parsed.network_address):0{parsed.max_prefixlen}b}"[: parsed.prefixlen]
    return "0" * 96 + bits if isinstance(parsed, IPv4Network) and ip_version == 6 else bits


def _insert(root: _Node, path: str, offset: int) -> None:
    node = root
    for bit in map(int, path[:-1]):
        below = node[bit]
        if not isinstance(below, list):
            below = node[bit] = [below, below]
        node = below
    node[int(path[-1])] = offset


def _flattened(root: _Node) -> list[_Node]:
    nodes = [root]
    for node in nodes:
        nodes.extend(side for side in node if isinstance(side, list))
    return nodes


def _pointer(side: "_Node | int | None", nodes: list[_Node]) -> bytes:
    if side is None:
        value = len(nodes)
    elif isinstance(side, int):
        value = len(nodes) + _SEPARATOR_BYTES + side
    else:
        value = next(index for index, node in enumerate(nodes) if node is side)
    return value.to_bytes(_RECORD_BYTES, "big")


def _encoded(value: Value) -> bytes:
    if isinstance(value, str):
        text = value.encode()
        return _control(_STRING, len(text)) + text
    if isinstance(value, int):
        return _number(_UINT32, value)
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(map(_encoded, value))
    return _map({key: _encoded(item) for key, item in value.items()})


def _number(kind: int, value: int) -> bytes:
    number = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(number)) + number


def _map(fields: Mapping[str, bytes]) -> bytes:
    return _control(_MAP, len(fields)) + b"".join(_encoded(key) + encoded for key, encoded in fields.items())


def _control(kind: int, size: int) -> bytes:
    """Return the control byte, the extended type and the extended size of a field."""
    head = min(size, 29) | (kind << 5 if kind < 8 else 0)
    more_type = b"" if kind < 8 else bytes([kind - 7])
    return bytes([head]) + more_type + (bytes([size - 29]) if size >= 29 else b"")
