"""Real servers that speak TLS: one primary, sentinels over it, a cluster; each also listens in plain for the test."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path

from server.store.embedded.binary import find_server
from server.store.ports import StoreError
from server.store.redis.cluster.slots import SLOTS
from server.store.redis.handshake import ping
from server.store.redis.url import RedisAddress
from tests.faults.redis_process import HOST, ON_DISK, RedisProcess, eventually, free_port
from tests.server.store.redis.test_tls import HERE, certificate

NODES = 3
NAME = "adtargeting"
_SENTINEL = """\
port {port}
tls-port {tls_port}
tls-cert-file {certificate}
tls-key-file {certificate}
tls-ca-cert-file {certificate}
tls-auth-clients no
tls-replication yes
bind {host}
dir {directory}
sentinel monitor {name} {host} {primary} 1
"""


class TlsServer(RedisProcess):
    """A server with a certificate, which may be replaced while it runs."""

    def __init__(self, directory: Path, path: Path, *options: str) -> None:
        self.tls_port = free_port()
        files = [word for name in ("cert", "key", "ca-cert") for word in (f"--tls-{name}-file", str(path))]
        tls = ["--tls-port", str(self.tls_port), "--tls-auth-clients", "no", "--tls-replication", "yes", *files]
        super().__init__(directory, *ON_DISK, *tls, *options, program=server_with_tls())

    def use(self, path: Path) -> None:
        """Have new connections see another certificate, and end those that are there."""
        words = [word for name in (b"cert", b"key", b"ca-cert") for word in (b"tls-%b-file" % name, bytes(path))]
        self.ask(b"CONFIG", b"SET", *words)
        self.ask(b"CLIENT", b"KILL", b"TYPE", b"normal")


class TlsSentinel:
    """A sentinel. It reads its certificate at its start, so it is started again for another one."""

    def __init__(self, directory: Path, path: Path, primary: int) -> None:
        directory.mkdir()
        self._directory, self._primary = directory, primary
        self._port, self.tls_port = free_port(), free_port()
        self._process = self._started(path)

    def use(self, path: Path) -> None:
        self.kill()
        self._process = self._started(path)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _started(self, path: Path) -> subprocess.Popen[bytes]:
        places = {"directory": self._directory, "certificate": path, "name": NAME, "host": HOST}
        ports = {"port": self._port, "tls_port": self.tls_port, "primary": self._primary}
        settings = self._directory / "sentinel.conf"
        settings.write_text(_SENTINEL.format(**places, **ports), encoding="ascii")
        process = subprocess.Popen([str(server_with_tls()), str(settings), "--sentinel"], stdout=subprocess.DEVNULL)
        eventually(lambda: ping(RedisAddress(host=HOST, port=self._port), 5))
        return process


class Topology:
    """Servers, and the URL by which a service reaches them, without its options."""

    def __init__(self, url: str, servers: Sequence[TlsServer | TlsSentinel]) -> None:
        self.url = url
        self.servers = servers


@contextmanager
def single(directory: Path, path: Path) -> Iterator[Topology]:
    with TlsServer(directory / "server", path) as server:
        yield Topology(f"rediss://{HOST}:{server.tls_port}/0", [server])


@contextmanager
def sentinels(directory: Path, path: Path) -> Iterator[Topology]:
    """One sentinel, a primary and its replica; the rest of sentinels is the same with TLS as without."""
    with ExitStack() as closing:
        primary, replica = (closing.enter_context(TlsServer(directory / f"server-{n}", path)) for n in range(2))
        replica.follow(HOST, primary.tls_port)
        sentinel = TlsSentinel(directory / "sentinel", path, primary.tls_port)
        closing.callback(sentinel.kill)
        yield Topology(f"rediss+sentinel://{HOST}:{sentinel.tls_port}/{NAME}", [primary, replica, sentinel])


@contextmanager
def cluster(directory: Path, path: Path) -> Iterator[Topology]:
    options = ("--cluster-enabled", "yes", "--tls-cluster", "yes")
    with ExitStack() as closing:
        nodes = [closing.enter_context(TlsServer(directory / f"node-{n}", path, *options)) for n in range(NODES)]
        for number, node in enumerate(nodes):
            first, last = number * SLOTS // NODES, (number + 1) * SLOTS // NODES - 1
            node.ask(b"CLUSTER", b"ADDSLOTSRANGE", b"%d" % first, b"%d" % last)
            node.ask(b"CLUSTER", b"SET-CONFIG-EPOCH", b"%d" % (number + 1))
            nodes[0].ask(b"CLUSTER", b"MEET", HOST.encode(), b"%d" % node.tls_port)
        eventually(lambda: _agree(nodes))
        yield Topology("rediss+cluster://" + ",".join(f"{HOST}:{node.tls_port}" for node in nodes), nodes)


TOPOLOGIES: dict[str, Callable[[Path, Path], AbstractContextManager[Topology]]] = {
    "one server": single,
    "sentinels": sentinels,
    "a cluster": cluster,
}


@cache
def server_with_tls() -> Path | None:
    """Return a server program of this machine that was built with TLS."""
    on_path = (shutil.which(name) for name in ("valkey-server", "redis-server"))
    found = [find_server(), *(Path(path) for path in on_path if path)]
    with tempfile.TemporaryDirectory() as directory:
        path = certificate(Path(directory), names=HERE)
        return next((program for program in found if _starts(program, path)), None)


def _starts(program: Path, path: Path) -> bool:
    """Whether a server with a certificate stays: one without TLS ends at once."""
    files = [word for name in ("cert", "key", "ca-cert") for word in (f"--tls-{name}-file", str(path))]
    listening = ["--port", "0", "--tls-port", str(free_port()), "--bind", HOST, "--save", "", *files]
    server = subprocess.Popen([program, *listening], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return server.wait(0.5) is None
    except subprocess.TimeoutExpired:
        return True
    finally:
        server.kill()
        server.wait()


def _agree(nodes: list[TlsServer]) -> None:
    for node in nodes:
        state = node.ask(b"CLUSTER", b"INFO")
        assert isinstance(state, bytes)
        if b"cluster_state:ok" not in state or b"cluster_known_nodes:%d" % len(nodes) not in state:
            raise StoreError("the nodes do not agree yet")
