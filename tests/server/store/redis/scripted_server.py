"""A server that says what it is told to: for answers that no real Redis gives on demand.

It says of itself that it is a primary.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hiredis

from server.store.redis.url import RedisAddress

Script = Callable[[socket.socket, list[bytes]], None]
"""Answers one command (its words) on the connection."""


def saying(*answers: bytes) -> Script:
    """Say these, one a command, and the last one for ever."""
    waiting = list(answers)
    return lambda connection, _: connection.sendall(waiting.pop(0) if len(waiting) > 1 else waiting[0])


@contextmanager
def scripted_server(directory: Path, script: Script) -> Iterator[RedisAddress]:
    """Listen on a Unix socket."""
    path = directory / "scripted.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        with _serving(listener, script):
            yield RedisAddress(path=str(path))


@contextmanager
def scripted_tcp_server(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Listen on a port of 127.0.0.1, with TLS if so wanted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        wrapped = tls.wrap_socket(listener, server_side=True, do_handshake_on_connect=False) if tls else listener
        with wrapped, _serving(wrapped, script):
            yield port


@contextmanager
def _serving(listener: socket.socket, script: Script) -> Iterator[None]:
    listener.listen()
    accepting = threading.Thread(target=_accept, args=(listener, script), daemon=True)
    accepting.start()
    try:
        yield
    finally:
        # Wakes the thread that waits in accept; closing the socket would not.
        socket.socket.shutdown(listener, socket.SHUT_RDWR)
        accepting.join()


def _accept(listener: socket.socket, script: Script) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, script), daemon=True).start()


def _serve(connection: socket.socket, script: Script) -> None:
    reader = hiredis.Reader()
    with connection:
        try:
            while data := connection.recv(65536):
                reader.feed(data)
                while words := reader.gets():
                    if words == [b"ROLE"]:
                        connection.sendall(b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")
                    else:
                        script(connection, words)
        except (OSError, hiredis.ProtocolError):
            return
