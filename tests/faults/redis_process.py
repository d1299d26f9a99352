"""A real Redis server on a TCP port, to be killed, started again on its data, followed and promoted."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import Self

from server.store.embedded.binary import find_server
from server.store.ports import StoreError
from server.store.redis.handshake import open_connection, ping
from server.store.redis.url import RedisAddress

HOST = "127.0.0.1"
PATIENCE_S = 20.0
ON_DISK = ("--appendonly", "yes", "--appendfsync", "always")
IN_MEMORY = ("--appendonly", "no")


class RedisProcess:
    """One server, always on the same port and data. A context manager that ends what it started."""

    def __init__(self, directory: Path, *options: str, program: Path | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.port = free_port()
        self.address = RedisAddress(host=HOST, port=self.port)
        self._command = [
            str(program or find_server()),
            "--port",
            str(self.port),
            "--bind",
            HOST,
            "--dir",
            str(directory),
        ]
        self._command += ["--save", "", "--repl-diskless-sync-delay", "0", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, *options: str) -> None:
        """Start, and wait until it answers with its data loaded."""
        self.begin(*options)
        eventually(lambda: ping(self.address, PATIENCE_S))

    def begin(self, *options: str) -> None:
        """Start without waiting for anything."""
        self._process = subprocess.Popen([*self._command, *options], stdout=subprocess.DEVNULL)

    @property
    def runs(self) -> bool:
        return self._process is not None

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it, as a hung machine would, and let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def lose_data(self) -> None:
        """Restart without anything that was stored."""
        self.kill()
        rmtree(self._directory)
        self._directory.mkdir()
        self.start()

    def ask(self, *words: bytes) -> object:
        link = open_connection(self.address, PATIENCE_S)
        try:
            return link.ask(words, time.monotonic() + PATIENCE_S)
        finally:
            link.close()

    def connections_received(self) -> int:
        """Return how many connections the server has ever accepted; one more for asking."""
        told = self.ask(b"INFO", b"stats")
        assert isinstance(told, bytes)
        return int(told.split(b"total_connections_received:")[1].split()[0])

    def follow(self, host: str, port: int) -> None:
        """Become the replica of the server that listens there, and wait until in step."""
        self.ask(b"REPLICAOF", host.encode(), b"%d" % port)

        def in_step() -> None:
            state = self.ask(b"INFO", b"replication")
            if not (isinstance(state, bytes) and b"master_link_status:up" in state):
                raise StoreError("the replica is not in step yet")

        eventually(in_step)

    def promote(self) -> None:
        """Become a primary with what is there."""
        self.ask(b"REPLICAOF", b"NO", b"ONE")


def free_port() -> int:
    """Return a free port; a cluster's bus is ten thousand further."""
    while True:
        with socket.create_server((HOST, 0)) as free:
            port: int = free.getsockname()[1]
            with suppress(OSError, OverflowError), socket.create_server((HOST, port + 10_000)):
                return port


def eventually(check: Callable[[], object]) -> None:
    """Wait until the check does not raise ``StoreError``."""
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            check()
        except StoreError:
            assert time.monotonic() < until_s, "the server never came to it"
            time.sleep(0.005)
        else:
            return
