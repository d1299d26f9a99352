"""Redis servers on TCP ports, for what a Unix socket cannot do: replication."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.store.embedded.binary import find_server
from server.store.ports import StoreError
from server.store.redis.handshake import open_connection, ping
from server.store.redis.url import RedisAddress

PATIENCE_S = 10


@contextmanager
def plain_redis(directory: Path, *options: str) -> Iterator[tuple[RedisAddress, int]]:
    """Run a server on a free port; gives its address and process id."""
    directory.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = RedisAddress(host="127.0.0.1", port=port)
    command = [str(find_server()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", ""]
    command += ["--repl-diskless-sync-delay", "0"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
    try:
        _await(lambda: ping(address, PATIENCE_S))
        yield address, process.pid
    finally:
        process.kill()
        process.wait()


def replicate(primary: RedisAddress, replica: RedisAddress) -> None:
    """Make one the other's replica, and wait until it is in step."""
    _command(replica, b"REPLICAOF", primary.host.encode(), b"%d" % primary.port)

    def check() -> None:
        state = _command(replica, b"INFO", b"replication")
        if not isinstance(state, bytes) or b"master_link_status:up" not in state:
            raise StoreError

    _await(check)


def _command(address: RedisAddress, *words: bytes) -> object:
    link = open_connection(address, PATIENCE_S)
    try:
        return link.ask(words, time.monotonic() + PATIENCE_S)
    finally:
        link.close()


def _await(check: object) -> None:
    assert callable(check)
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            check()
        except StoreError:
            assert time.monotonic() < until_s, "the server never came to it"
            time.sleep(0.02)
        else:
            return
