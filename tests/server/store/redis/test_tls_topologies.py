"""Sentinels and a cluster over TLS: the server that names the primary is verified as the primary itself is."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from server.store.ports import StoreUnreachable
from server.store.redis.cluster.slots import Node
from server.store.redis.cluster.topology import Cluster, ClusterAddress
from server.store.redis.handshake import ping
from server.store.redis.primary import accept_any
from server.store.redis.store_url import parse_store_url
from tests.server.store.redis.scripted_server import Script, scripted_tcp_server
from tests.server.store.redis.test_tls import ELSEWHERE, HERE, PONG, certificate, serving

HOST = "127.0.0.1"
RESP3 = b"%1\r\n$5\r\nproto\r\n:3\r\n"


def array(*parts: bytes) -> bytes:
    return b"*%d\r\n%b" % (len(parts), b"".join(parts))


def text(value: str) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value.encode())


def masters(port: int) -> bytes:
    """A sentinel's answer, as a map of RESP3: one healthy primary called main."""
    fields = {"name": "main", "ip": HOST, "port": str(port), "flags": "master"}
    fields |= {"num-other-sentinels": "0", "config-epoch": "0"}
    pairs = b"".join(text(name) + text(value) for name, value in fields.items())
    return array(b"%%%d\r\n%b" % (len(fields), pairs))


def sentinel(primary_port: int) -> Script:
    def answer(connection: socket.socket, words: list[bytes]) -> None:
        named = array(text(HOST), text(str(primary_port)))
        replies = {b"HELLO": RESP3, b"MASTERS": masters(primary_port), b"SLAVES": array()}
        replies[b"GET-MASTER-ADDR-BY-NAME"] = named
        command = words[1] if words[0] == b"SENTINEL" else words[0]
        connection.sendall(replies.get(command.upper(), b"+OK\r\n"))

    return answer


@contextmanager
def sentinels(tls: ssl.SSLContext | None) -> Iterator[str]:
    """A primary and a sentinel of it, and the rest of a URL that names them."""
    with scripted_tcp_server(PONG, tls) as primary, scripted_tcp_server(sentinel(primary), tls) as port:
        yield f"+sentinel://{HOST}:{port}/main"


@contextmanager
def cluster(tls: ssl.SSLContext | None) -> Iterator[str]:
    """A node that serves all slots, and the rest of its URL."""
    slots = array(array(b":0\r\n", b":16383\r\n", array(text(""), b":1\r\n", text("id"))))

    def answer(connection: socket.socket, words: list[bytes]) -> None:
        connection.sendall(slots if words[0] == b"CLUSTER" else b"+PONG\r\n")

    with scripted_tcp_server(answer, tls) as port:
        yield f"+cluster://{HOST}:{port}"


def use(url: str) -> None:
    """Find the primaries and talk to one. Raises ``StoreUnreachable``."""
    address = parse_store_url(url)
    ping(address, 5)
    if isinstance(address, ClusterAddress):
        assert Cluster(address, accept_any).primaries() == [Node(HOST, 1)]


TOPOLOGIES = pytest.mark.parametrize("topology", [sentinels, cluster], ids=["sentinels", "cluster"])
Topology = Callable[[ssl.SSLContext | None], AbstractContextManager[str]]


@TOPOLOGIES
def test_servers_with_a_trusted_certificate_are_talked_to(topology: Topology, tmp_path: Path) -> None:
    path = certificate(tmp_path, names=HERE)
    with topology(serving(path)) as rest:
        use(f"rediss{rest}?ssl_ca_certs={path}")


@TOPOLOGIES
@pytest.mark.parametrize("options", ["", "ssl_ca_certs={path}"], ids=["unknown to anybody", "for another name"])
def test_others_are_not(topology: Topology, options: str, tmp_path: Path) -> None:
    path = certificate(tmp_path, names=ELSEWHERE)
    with topology(serving(path)) as rest:
        use(f"rediss{rest}?ssl_ca_certs={path}&ssl_check_hostname=false")
        with pytest.raises(StoreUnreachable):
            use(f"rediss{rest}?{options.format(path=path)}")


@TOPOLOGIES
def test_servers_without_tls_are_not_used_where_it_is_asked_for(topology: Topology, tmp_path: Path) -> None:
    path = certificate(tmp_path, names=HERE)
    with topology(None) as rest:
        use(f"redis{rest}")
        with pytest.raises(StoreUnreachable):
            use(f"rediss{rest}?ssl_ca_certs={path}")


@TOPOLOGIES
def test_the_client_shows_its_own_certificate(topology: Topology, tmp_path: Path) -> None:
    path = certificate(tmp_path, names=HERE)
    demanding = serving(path)
    demanding.verify_mode = ssl.CERT_REQUIRED
    demanding.load_verify_locations(path)
    with topology(demanding) as rest:
        use(f"rediss{rest}?ssl_ca_certs={path}&ssl_certfile={path}")
        with pytest.raises(StoreUnreachable):
            use(f"rediss{rest}?ssl_ca_certs={path}")
