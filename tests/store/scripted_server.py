"""A server that says what it is told to: for answers that no real Redis gives on demand."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hiredis

from server.store.url import RedisAddress

Script = Callable[[socket.socket, list[bytes]], None]
"""Answers one command (its words) on the connection."""


@contextmanager
def scripted_server(directory: Path, script: Script) -> Iterator[RedisAddress]:
    """Listen on a Unix socket; every connection is served by a thread."""
    path = directory / "scripted.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=_accept, args=(listener, script), daemon=True).start()
        try:
            yield RedisAddress(path=str(path))
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def saying(*answers: bytes) -> Script:
    """Say these, one a command, and the last one for ever."""
    waiting = list(answers)
    return lambda connection, _: connection.sendall(waiting.pop(0) if len(waiting) > 1 else waiting[0])


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
                    script(connection, words)
        except OSError:
            return
