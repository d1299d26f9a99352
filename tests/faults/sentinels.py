"""Three real sentinels that watch a primary and its replicas."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from server.store.embedded.binary import find_server
from server.store.ports import StoreError
from server.store.redis.handshake import open_connection, ping
from server.store.redis.url import RedisAddress
from tests.faults.redis_process import HOST, PATIENCE_S, RedisProcess, eventually

NAME = "adtargeting"
_SENTINELS = 3
_SETTINGS = """\
port {port}
bind {host}
dir {directory}
sentinel monitor {name} {host} {primary} 2
sentinel down-after-milliseconds {name} 500
sentinel failover-timeout {name} 3000
sentinel parallel-syncs {name} 2
"""


class Watched:
    """A primary and two replicas, and the sentinels that watch them."""

    def __init__(self, servers: list[RedisProcess], ports: list[int]) -> None:
        self.servers = servers
        self.ports = ports

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(f'{HOST}:{port}' for port in self.ports)}/{NAME}"

    def primary(self) -> RedisProcess:
        """Return the server that the first sentinel names."""
        address = self.ask(b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", NAME.encode())
        assert isinstance(address, list)
        return next(server for server in self.servers if server.port == int(address[1]))

    def ask(self, *words: bytes) -> object:
        connection = open_connection(RedisAddress(host=HOST, port=self.ports[0]), PATIENCE_S)
        try:
            return connection.ask(words, time.monotonic() + PATIENCE_S)
        finally:
            connection.close()

    def fail_over(self) -> None:
        """Have the sentinels promote a replica, while the primary lives."""
        eventually(lambda: self.ask(b"SENTINEL", b"FAILOVER", NAME.encode()))


@contextmanager
def watched(directory: Path, *options: str) -> Iterator[Watched]:
    with ExitStack() as closing:
        servers = [closing.enter_context(RedisProcess(directory / f"server-{n}", *options)) for n in range(3)]
        for replica in servers[1:]:
            replica.follow(HOST, servers[0].port)
        ports = [
            closing.enter_context(_sentinel(directory / f"sentinel-{n}", servers[0].port)) for n in range(_SENTINELS)
        ]
        made = Watched(servers, ports)
        eventually(lambda: _know_each_other(made))
        yield made


@contextmanager
def _sentinel(directory: Path, primary: int) -> Iterator[int]:
    directory.mkdir()
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
    settings = directory / "sentinel.conf"
    settings.write_text(
        _SETTINGS.format(port=port, host=HOST, directory=directory, name=NAME, primary=primary), encoding="ascii"
    )
    process = subprocess.Popen([str(find_server()), str(settings), "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: ping(RedisAddress(host=HOST, port=port), PATIENCE_S))
        _hurry(port)
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _hurry(port: int) -> None:
    """Have a sentinel tell the others of itself every 100 ms instead of every 2 s."""
    connection = open_connection(RedisAddress(host=HOST, port=port), PATIENCE_S)
    connection.ask((b"SENTINEL", b"DEBUG", b"PUBLISH-PERIOD", b"100"), time.monotonic() + PATIENCE_S)
    connection.close()


def _know_each_other(made: Watched) -> None:
    state = made.ask(b"SENTINEL", b"MASTER", NAME.encode())
    assert isinstance(state, list)
    facts = dict(zip(state[::2], state[1::2], strict=True))
    if (int(facts[b"num-other-sentinels"]), int(facts[b"num-slaves"])) != (_SENTINELS - 1, len(made.servers) - 1):
        raise StoreError("the sentinels do not know each other yet")
