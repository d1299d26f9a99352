"""The gate on h2corn beyond what all gates do: raw HTTP/2 requests, limits, and the private part that is used."""

import inspect
import json
import resource
import select
import socket
import time
from contextlib import suppress

import h2corn
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from h2corn import _lib

from server.gate.http2.gate import Http2Gate
from server.gate.http2.limits import Http2Limits, config_of
from server.gate.methods import DECIDE, METHODS
from server.listening import ListenAddress, listen
from tests.server.gate.conftest import answer_all
from tests.server.gate.raw_http2 import call_grpc, reset_streams
from tests.waiting import eventually

MESSAGE = pb.DecideRequest(account_id="alice").SerializeToString()
ENHANCE_YOUR_CALM = 11
FRAMED = b"\0" + len(MESSAGE).to_bytes(4) + MESSAGE


def test_a_plain_call(address: str) -> None:
    answer = call_grpc(address, DECIDE.path, FRAMED)
    assert answer.headers["grpc-status"] == "0"
    assert pb.DecideResponse.FromString(answer.body[5:]).request_id == "alice"


BAD_CALLS: dict[str, tuple[dict[str, str], bytes, str]] = {
    "a timeout that is none": ({"grpc-timeout": "soon"}, FRAMED, "grpc-timeout: must be"),
    "no prefix": ({}, b"\0", "exactly one gRPC message"),
    "two messages": ({}, FRAMED * 2, "exactly one gRPC message"),
    "half a message": ({}, FRAMED[:-1], "exactly one gRPC message"),
    "no trailers": ({"te": ""}, FRAMED, "te: must be trailers"),
}


@pytest.mark.parametrize(("headers", "body", "message"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_a_call_that_is_no_grpc_is_refused_in_words(
    address: str, headers: dict[str, str], body: bytes, message: str
) -> None:
    answer = call_grpc(address, DECIDE.path, body, headers)
    assert answer.headers["grpc-status"] == "3"
    assert message in answer.headers["grpc-message"]


def test_a_deadline_that_has_passed_is_not_worked_on(address: str) -> None:
    assert call_grpc(address, DECIDE.path, FRAMED, {"grpc-timeout": "0n"}).headers["grpc-status"] == "4"


@pytest.mark.fault(row=13)
def test_bodies_and_connections_are_limited_before_python_and_descriptors_kept_free() -> None:
    with listen(ListenAddress("ADTARGETING_GRPC_ADDRESS", "127.0.0.1:0")) as listener:
        config = config_of(listener, Http2Limits(connections=10_000_000))
    limits = {policy.path: policy.max_request_body_size for policy in config.request_policies}
    assert all(method.max_bytes < limits[method.path] <= 4 * 1024 * 1024 for method in METHODS)
    assert config.h2_initial_connection_window_size <= 1024 * 1024
    assert limits["/*"] <= 65_536
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == hard
    assert config.limit_connections <= soft - 256


@pytest.mark.parametrize(("resets", "error"), [(190, None), (210, ENHANCE_YOUR_CALM)])
def test_a_connection_with_more_than_200_resets_is_ended_and_no_other(resets: int, error: int | None) -> None:
    """A property of h2corn that callers are told of: docs/clients.md, docs/envoy.md and ADR 29."""
    gate = Http2Gate("127.0.0.1:0", limits=Http2Limits(streams=1000))
    address = gate.open()
    try:
        assert reset_streams(address, DECIDE.path, FRAMED, resets) == error
        gate.decide_with(answer_all)
        assert call_grpc(address, DECIDE.path, FRAMED).headers["grpc-status"] == "0"
    finally:
        gate.close(0)


@pytest.mark.fault(row=13)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_connections_beyond_the_limit_are_closed_and_the_others_served(protected: bool) -> None:
    gate = Http2Gate("127.0.0.1:0", limits=Http2Limits(connections=4 if protected else 100))
    address = gate.open()
    host, _, port = address.rpartition(":")
    kept = [socket.create_connection((host, int(port)), timeout=5) for _ in range(12)]
    try:
        for connection in kept:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        if not protected:
            eventually(lambda: served_among(kept) > 4)
            return
        eventually(lambda: served_among(kept) > 0)
        time.sleep(0.3)  # time enough for more than the limit
        assert served_among(kept) <= 4
    finally:
        for connection in kept:
            connection.close()
        gate.close(0)


def served_among(connections: list[socket.socket]) -> int:
    """Return how many connections have been answered, and are open."""
    return sum(map(is_served, select.select(connections, [], [], 0)[0]))


def is_served(connection: socket.socket) -> bool:
    """Whether there is more to read than the end of the connection."""
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except OSError:
        return False


def test_a_listening_socket_can_be_given() -> None:
    listener = listen(ListenAddress("ADTARGETING_GRPC_ADDRESS", "127.0.0.1:0"))
    gate = Http2Gate("127.0.0.1:0", listener=listener)
    assert gate.open() == f"127.0.0.1:{listener.getsockname()[1]}"
    gate.close(0)


def test_what_h2corn_itself_logs_is_json_where_the_log_is(capfd: pytest.CaptureFixture[str]) -> None:
    gate = Http2Gate("127.0.0.1:0", limits=Http2Limits(log_format="json"))
    address = gate.open()
    gate.decide_with(answer_all)
    try:
        lines: list[str] = []

        def said() -> bool:
            with suppress(OSError):
                reset_streams(address, DECIDE.path, FRAMED, 600)
            lines.extend(capfd.readouterr().err.splitlines())
            return bool(lines)

        eventually(said)
    finally:
        gate.close(0)
    assert all(json.loads(line)["level"] == "error" for line in lines)


def test_h2corn_has_the_private_part_that_is_turned_off() -> None:
    """Its start banner. An h2corn without it fails here, and not at a start in production."""
    source = inspect.getsource(h2corn.Server._serve_embedded)
    assert "from h2corn._lib import emit_banner" in source
    assert callable(_lib.emit_banner)
