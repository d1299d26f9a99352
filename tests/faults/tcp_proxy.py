"""A TCP proxy that misbehaves as told: delays, swallows, closes one side, forwards to another server.

Swallowing is a cut link: what is sent is lost, and neither end is told. Stopping a process is not the same, for the
kernel keeps what was sent.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

HOST = "127.0.0.1"
_CHUNK = 1 << 16


class TcpProxy:
    """Listens on a port of its own. A context manager that closes everything it opened."""

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        """Where connections made from now on are forwarded to."""
        self.delay_s = 0.0
        """How long each piece is held back before it is forwarded."""
        self._swallowing = threading.Event()
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone does not wake a thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()
        for pair in self._open():
            for end in pair:
                end.close()

    def black_hole(self) -> None:
        """Lose everything from now on, both ways, and say nothing; new connections lead nowhere too."""
        self._swallowing.set()

    def half_close(self) -> None:
        """Tell the upstream that its clients will send no more; its answers still come through."""
        for _, upstream in self._open():
            with suppress(OSError):
                upstream.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Close all connections; new ones are accepted."""
        for pair in self._open():
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _open(self) -> list[tuple[socket.socket, socket.socket]]:
        with self._lock:
            return list(self._pairs)

    def _begin(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, name="tcp-proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                upstream = socket.create_connection((HOST, self.upstream_port))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, upstream))
            self._begin(self._pump, client, upstream)
            self._begin(self._pump, upstream, client)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        """Forward one way until either end closes."""
        with suppress(OSError):
            while piece := source.recv(_CHUNK):
                if self.delay_s:
                    time.sleep(self.delay_s)
                if not self._swallowing.is_set():
                    target.sendall(piece)
        if not self._swallowing.is_set():
            with suppress(OSError):
                target.shutdown(socket.SHUT_WR)
