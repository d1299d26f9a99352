"""Calls in other forms than plain gRPC: refused before they are read, and counted however they end."""

import gzip
import time
from collections.abc import Iterator

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.gate.http2.gate import Http2Gate
from server.gate.http2.limits import Http2Limits
from server.gate.lanes import Lanes
from server.gate.methods import DECIDE, SET_PREFERENCE
from server.gate.port import Method
from tests.server.gate.conftest import ORIGIN, answer_all
from tests.server.gate.http_client import request
from tests.server.gate.raw_http2 import Answer, Upload, call_grpc
from tests.waiting import eventually

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
MESSAGE = pb.DecideRequest(account_id="alice").SerializeToString()
FRAMED = b"\0" + len(MESSAGE).to_bytes(4) + MESSAGE
JSON = {"Content-Type": "application/json"}
FORMS = {
    "JSON": {"content-type": "application/json"},
    "gRPC-Web": {"content-type": "application/grpc-web+proto"},
    "compressed gRPC": {"grpc-encoding": "gzip"},
    "gRPC": {},
}

REFUSALS = {
    "unavailable": ('"unavailable"', "grpc-status: 14"),
    "invalid_argument": ('"invalid_argument"', "grpc-status: 3"),
}


@pytest.fixture
def gate() -> Iterator[Http2Gate]:
    opened = Http2Gate("127.0.0.1:0", limits=Http2Limits(origins=(ORIGIN,)))
    opened.open()
    opened.decide_with(answer_all)
    yield opened
    opened.close(0)


def address_of(gate: Http2Gate) -> str:
    assert gate._listener is not None
    return f"127.0.0.1:{gate._listener.getsockname()[1]}"


@PROTECTED
@pytest.mark.fault(row=10)
@pytest.mark.parametrize("method", [DECIDE, SET_PREFERENCE], ids=lambda method: method.lane.value)
@pytest.mark.parametrize("headers", FORMS.values(), ids=FORMS)
def test_a_certain_refusal_does_not_wait_for_the_body(
    gate: Http2Gate, monkeypatch: pytest.MonkeyPatch, protected: bool, method: Method, headers: dict[str, str]
) -> None:
    gate._lanes.stopping = True
    if not protected:
        monkeypatch.setattr(Lanes, "refusal_at_once", lambda *_: None)
    with Upload(address_of(gate), method.path, headers) as upload:
        if protected:
            assert refusal_in(upload.answer()) == "unavailable"
        else:
            assert refusal_in(upload.end(b"no message of any form")) == "invalid_argument"
    assert gate.refused()["stopping"] == protected


def refusal_in(answer: Answer) -> str:
    """The refusal in an answer of any form."""
    said = answer.body.decode("latin-1") + f"grpc-status: {answer.headers.get('grpc-status')}"
    return next(name for name, marks in REFUSALS.items() if any(mark in said for mark in marks))


@pytest.mark.parametrize("headers", [{"grpc-timeout": "50m"}, {"grpc-timeout": "50m", "grpc-encoding": "gzip"}])
def test_a_deadline_counts_from_the_headers(gate: Http2Gate, headers: dict[str, str]) -> None:
    with Upload(address_of(gate), DECIDE.path, headers) as upload:
        upload.send(FRAMED[:4])
        time.sleep(0.1)
        assert upload.end(FRAMED[4:]).headers["grpc-status"] == "4"
    assert gate.ended()[DECIDE] == {4: 1}


NOT_SERVED: dict[str, tuple[str, bytes, dict[str, str], int]] = {
    "bad JSON": ("POST", b"{", JSON, 3),
    "bad gzip": ("POST", b"{}", {**JSON, "Content-Encoding": "gzip"}, 3),
    "a bomb": ("POST", gzip.compress(bytes(1 << 20)), {**JSON, "Content-Encoding": "gzip"}, 8),
    "too long": ("POST", bytes(DECIDE.max_bytes + 1), JSON, 8),
    "a compression that is unknown": ("POST", b"{}", {**JSON, "Content-Encoding": "br"}, 12),
    "two messages": ("POST", FRAMED * 2, {"Content-Type": "application/grpc-web+proto"}, 12),
    "a media type that is unknown": ("POST", b"{}", {"Content-Type": "text/plain"}, 3),
    "a deadline that is none": ("POST", b"{}", {**JSON, "Connect-Timeout-Ms": "soon"}, 3),
    "a deadline that has passed": ("POST", b"{}", {**JSON, "Connect-Timeout-Ms": "0"}, 4),
    "a Host that is not ours": ("POST", b"{}", {**JSON, "Host": "evil.example"}, 7),
    "a page that may not": ("POST", b"{}", {**JSON, "Origin": "https://evil.example"}, 7),
    "GET": ("GET", b"", {}, 12),
}


@pytest.mark.parametrize(("verb", "body", "headers", "code"), NOT_SERVED.values(), ids=NOT_SERVED)
def test_what_is_not_served_is_counted(
    gate: Http2Gate, verb: str, body: bytes, headers: dict[str, str], code: int
) -> None:
    assert request(address_of(gate), verb, DECIDE.path, body, headers).status != 200 or code == 12
    eventually(lambda: gate.ended()[DECIDE])
    assert gate.ended()[DECIDE] == {code: 1}


@pytest.mark.parametrize(
    ("body", "headers"), [(FRAMED * 2, {}), (FRAMED, {"grpc-timeout": "soon"})], ids=["two messages", "no deadline"]
)
def test_plain_grpc_that_is_not_served_is_counted(gate: Http2Gate, body: bytes, headers: dict[str, str]) -> None:
    call_grpc(address_of(gate), DECIDE.path, body, headers)
    assert gate.ended()[DECIDE] == {3: 1}


def test_an_answer_is_counted_once_and_a_preflight_never(gate: Http2Gate) -> None:
    request(address_of(gate), "OPTIONS", DECIDE.path, headers={"Origin": ORIGIN})
    assert request(address_of(gate), "POST", DECIDE.path, b"{}", JSON).status == 200
    assert request(address_of(gate), "POST", DECIDE.path, b'{"accountId": "refused"}', JSON).status == 400
    assert gate.ended()[DECIDE] == {0: 1, 3: 1}


def test_a_caller_who_goes_before_the_call_is_whole_made_none(gate: Http2Gate) -> None:
    for headers in ({}, {"content-type": "application/json"}):
        with Upload(address_of(gate), DECIDE.path, headers) as upload:
            upload.send(bytes(5000))
            eventually(lambda: gate._bodies.held_bytes)
        eventually(lambda: not gate._bodies.held_bytes)
    assert gate.ended()[DECIDE] == {}


def test_a_fault_of_ours_says_nothing_of_itself(gate: Http2Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Lanes, "serve", fail)
    answer = request(address_of(gate), "POST", DECIDE.path, b"{}", JSON)
    assert (answer.status, answer.json()) == (500, {"code": "internal", "message": "internal error"})
