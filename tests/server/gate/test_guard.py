"""Pages of other sites may not call: each rule with a request that it stops, and one that it lets pass."""

import socket
from pathlib import Path

import pytest

from server.gate.http2.gate import Http2Gate
from server.gate.methods import DECIDE
from tests.server.gate.conftest import HOST, ORIGIN, answer_all
from tests.server.gate.http_client import Answer, request

BODY = b'{"accountId": "alice"}'


def call(address: str, method: str = "POST", path: str = DECIDE.path, **headers: str) -> Answer:
    given = {"Content-Type": "application/json", **headers}
    return request(address, method, path, BODY if method == "POST" else b"", given)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST:50051", "[::1]:50051", HOST, f"{HOST}:8443", HOST.upper()]
)
def test_a_name_of_the_port_is_taken(address: str, host: str) -> None:
    assert call(address, Host=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:50051", f"{HOST}.evil.example", "127.0.0.1.evil.example", "0", "10.0.0.1"]
)
def test_another_name_is_refused_as_dns_rebinding_would_send_it(address: str, host: str) -> None:
    answer = call(address, Host=host)
    assert answer.status == 421
    assert answer.body.endswith(b"list the name in ADTARGETING_HOSTS\n")
    assert b"alice" not in answer.body


def test_no_name_at_all_is_refused(address: str) -> None:
    assert call(address, Host="").status in (400, 421)


def test_a_page_of_a_configured_origin_is_served_and_may_read_the_answer(address: str) -> None:
    answer = call(address, Origin=ORIGIN)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{ORIGIN}.evil.example", "http://127.0.0.1"])
def test_a_page_of_another_origin_is_refused(address: str, origin: str) -> None:
    answer = call(address, Origin=origin)
    assert answer.status == 403
    assert answer.body.endswith(b"list the origin in ADTARGETING_ORIGINS\n")
    assert "access-control-allow-origin" not in answer.headers


def test_a_configured_origin_on_another_name_is_refused(address: str) -> None:
    assert call(address, Origin=ORIGIN, Host="evil.example").status == 421


def test_a_page_that_poses_as_grpc_is_refused_too(address: str) -> None:
    answer = call(address, Origin="https://evil.example", **{"Content-Type": "application/grpc", "te": "trailers"})
    assert answer.status == 403


def test_what_a_page_may_send_is_told_to_configured_origins_alone(address: str) -> None:
    allowed = call(address, "OPTIONS", Origin=ORIGIN, **{"Access-Control-Request-Method": "POST"})
    assert allowed.status == 204
    assert allowed.headers["access-control-allow-methods"] == "POST"
    assert "content-type" in allowed.headers["access-control-allow-headers"]
    assert call(address, "OPTIONS", Origin="https://evil.example").status == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_nothing_but_post_is_served(address: str, method: str) -> None:
    query = "?connect=v1&encoding=json&message=%7B%22accountId%22%3A%22alice%22%7D"
    answer = call(address, method, DECIDE.path + query)
    assert answer.status == 405
    assert answer.body == (b"" if method == "HEAD" else b"call by POST, with content-type: application/json\n")


@pytest.mark.parametrize("host", ["localhost", "anything.example"])
def test_on_a_unix_socket_every_name_is_its_own(tmp_path: Path, host: str) -> None:
    gate = Http2Gate(f"unix:{tmp_path / 's'}")
    gate.open()
    gate.decide_with(answer_all)
    try:
        with socket.socket(socket.AF_UNIX) as connected:
            connected.connect(str(tmp_path / "s"))
            head = f"POST {DECIDE.path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            connected.sendall(f"{head}Content-Length: {len(BODY)}\r\nConnection: close\r\n\r\n".encode() + BODY)
            answer = b"".join(iter(lambda: connected.recv(65_536), b""))
    finally:
        gate.close(0)
    assert answer.startswith(b"HTTP/1.1 200")
