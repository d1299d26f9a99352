"""Idle connections, and those that never complete a request, are closed after a while."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from server.gate.http2 import limits
from server.gate.http2.gate import Http2Gate
from server.gate.http2.limits import Http2Limits
from tests.faults.test_hostile_bytes import frame, grpc_head, never_complete
from tests.server.gate.conftest import answer_all
from tests.waiting import eventually

pytestmark = pytest.mark.fault(row=13)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
RESET, GO_AWAY = 3, 7
SHORT_S, LONG_S = 0.2, 300.0
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")


def nothing(_: str) -> bytes:
    return b""


def half_a_message(address: str) -> bytes:
    return never_complete(1, grpc_head(address))


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        yield connection


def is_given_up(connection: socket.socket) -> bool:
    """Whether the server has closed the connection, or has said that it goes away or ends the stream."""
    connection.settimeout(0.05)
    try:
        received = connection.recv(4096)
    except TimeoutError:
        return False
    except OSError:
        return True
    return not received or not {RESET, GO_AWAY}.isdisjoint(kinds(received))


def kinds(frames: bytes) -> Iterator[int]:
    """Yield the type of each frame (RFC 9113, section 4.1)."""
    while frames:
        yield frames[3]
        frames = frames[9 + int.from_bytes(frames[:3]) :]


@PROTECTED
@pytest.mark.parametrize("says", [nothing, half_a_message], ids=["nothing", "half a message"])
def test_a_connection_on_which_nothing_happens_is_given_up(
    monkeypatch: pytest.MonkeyPatch, says: Callable[[str], bytes], protected: bool
) -> None:
    patience_s = SHORT_S if protected else LONG_S
    monkeypatch.setattr(limits, "_BODY_IDLE_S", patience_s)
    gate = Http2Gate("127.0.0.1:0", limits=Http2Limits(idle_s=patience_s))
    address = gate.open()
    gate.decide_with(answer_all)
    try:
        with connected(address) as connection:
            connection.sendall(PREFACE + says(address))
            if protected:
                eventually(lambda: is_given_up(connection))
                return
            until_s = time.monotonic() + 5 * SHORT_S
            while time.monotonic() < until_s:
                assert not is_given_up(connection)
    finally:
        gate.close(0)
