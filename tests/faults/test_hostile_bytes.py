"""Floods of resets, bombs, cut and spoilt messages: others are answered, and no error repeats what was sent."""

import gzip
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub
from connectrpc.compression.gzip import GzipCompression
from hpack import Encoder

from server.app import Service
from server.decisions import containment
from server.gate.http2 import application
from server.gate.methods import DECIDE
from server.gate.port import Refusal
from tests.contracts.gates import own_channel, send, status_of
from tests.server.gate.http_client import post
from tests.server.gate.raw_http2 import call_grpc
from tests.server.running_service import settings, wait_until

pytestmark = pytest.mark.fault(row=13)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
SECRET = b"secret-person"
BAD_UTF8 = b"\x12\x0f" + SECRET + b"\xff\xfe"
"""An account id (field 2) of 15 bytes that are no text."""
MESSAGE = pb.DecideRequest(account_id="flood", ip="8.8.8.8").SerializeToString()
STREAMS = 200


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4) + message


@pytest.fixture(scope="module", params=["http2", "grpcio"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(settings(tmp_path_factory.mktemp("service"), gate=request.param)) as service:
        yield service


@pytest.fixture
def http2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(settings(tmp_path_factory.mktemp("http2"), gate="http2")) as service:
        yield service


@pytest.fixture
def neighbour(service: Service) -> Iterator[Callable[[], None]]:
    """A caller of its own connection, which is answered whenever it asks."""
    with own_channel(service.address) as channel:

        def ask() -> None:
            answer = TargetingServiceStub(channel).Decide(pb.DecideRequest(request_id="here", ip="8.8.8.8"), timeout=10)
            assert answer.request_id == "here"

        ask()
        yield ask


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def grpc_head(address: str) -> bytes:
    """Return the headers of a call, packed."""
    names = {":method": "POST", ":scheme": "http", ":path": DECIDE.path, ":authority": address}
    head = [*names.items(), ("content-type", "application/grpc"), ("te", "trailers")]
    return Encoder().encode(head, huffman=False)


def flood(address: str, of_stream: Callable[[int, bytes], bytes]) -> None:
    """Send the frames of many streams on one connection, until it is cut."""
    head = grpc_head(address)
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection, suppress(OSError):
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
        for stream in range(1, 2 * STREAMS, 2):
            connection.sendall(of_stream(stream, head))


def reset_at_once(stream: int, head: bytes) -> bytes:
    return frame(1, 4, stream, head) + frame(0, 1, stream, framed(MESSAGE)) + frame(3, 0, stream, (8).to_bytes(4))


def made_to_reset(stream: int, head: bytes) -> bytes:
    """A window update of nothing makes the server reset the stream."""
    return frame(1, 4, stream, head) + frame(8, 0, stream, bytes(4))


def never_complete(stream: int, head: bytes) -> bytes:
    return frame(1, 4, stream, head) + frame(0, 0, stream, framed(MESSAGE)[:3])


FLOODS = {"resets": reset_at_once, "resets by the server": made_to_reset, "messages without an end": never_complete}


@pytest.mark.parametrize("of_stream", FLOODS.values(), ids=FLOODS)
def test_a_neighbour_of_a_flood_is_answered(
    service: Service, neighbour: Callable[[], None], of_stream: Callable[[int, bytes], bytes]
) -> None:
    for _ in range(5):
        flood(service.address, of_stream)
        neighbour()
    # Calls that were cut off hold no room.
    wait_until(lambda: service.metrics.registry.get_sample_value("adtargeting_inflight") == 0)


SPOILT = {
    "text that is not UTF-8": BAD_UTF8,
    "no protobuf": SECRET * 5,
    "a field that ends early": pb.DecideRequest(account_id=SECRET.decode()).SerializeToString()[:-2],
    "30,000 repeated entries": pb.DecideRequest(linked_account_ids=[""] * 30_000).SerializeToString(),
    "too large": SECRET * (DECIDE.max_bytes // len(SECRET) + 1),
    "far too large": bytes(2 * 1024 * 1024),
}


@pytest.mark.parametrize("payload", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_message_is_refused_without_its_text(
    service: Service, neighbour: Callable[[], None], payload: bytes
) -> None:
    with own_channel(service.address) as channel:
        sent = send(channel, DECIDE, payload)
        problem = sent.exception()
        assert status_of(sent) is not grpc.StatusCode.OK
        assert SECRET not in repr(problem).encode()
        neighbour()


@PROTECTED
def test_no_text_of_a_library_reaches_the_caller(
    http2: Service, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(containment, "refusal_of", lambda problem: Refusal(3, f"{problem} {SECRET.decode()}"))
    with own_channel(http2.address) as channel:
        problem = send(channel, DECIDE, BAD_UTF8).exception()
    assert (SECRET not in repr(problem).encode()) == protected


@PROTECTED
def test_a_message_that_ends_early_is_refused(http2: Service, monkeypatch: pytest.MonkeyPatch, protected: bool) -> None:
    if not protected:
        monkeypatch.setattr(application, "message_of", lambda body: body[5:])
    whole = pb.DecideRequest(account_id="a", cookie_header="TOptOut=1").SerializeToString()
    # Cut between two fields, what is left is a message, of a person who has not opted out.
    answer = call_grpc(http2.address, DECIDE.path, framed(whole)[: 5 + len(b"\x12\x01a")])
    assert (answer.headers["grpc-status"] != "0") == protected


@PROTECTED
def test_a_bomb_is_never_unpacked(http2: Service, monkeypatch: pytest.MonkeyPatch, protected: bool) -> None:
    unpacked: list[int] = []
    unpack = GzipCompression.decompress

    def measured(self: GzipCompression, data: bytes, read_max_bytes: int | None = None) -> bytes:
        result = unpack(self, data, read_max_bytes if protected else None)
        unpacked.append(len(result))
        return result

    monkeypatch.setattr(GzipCompression, "decompress", measured)
    bomb = gzip.compress(bytes(16 * 1024 * 1024))
    answer = post(http2.address, DECIDE.path, bomb, content_encoding="gzip")
    assert answer.status != 200
    assert (not unpacked) == protected
