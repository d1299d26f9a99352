"""JSON and gzip that are long: converted away from the loop's thread, and only for calls that have a place."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from connectrpc.compression.gzip import GzipCompression
from google.protobuf import json_format
from google.protobuf.message import Message

from server.gate.connect.conversions import Conversions
from server.gate.http2.gate import Http2Gate
from server.gate.methods import DECIDE, DECIDE_BATCH
from server.gate.port import Call, DecisionLane, Method
from server.gate.room import Cause
from tests.server.gate.http_client import post
from tests.server.gate.raw_http2 import Upload
from tests.waiting import eventually

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
LOOP = "gate"
LONG_ANSWER = pb.DecideBatchResponse(results=[{"response": {"request_id": f"r{each}"}} for each in range(256)])
LONG = json.dumps({"requests": [{"accountId": f"a{each}", "ip": "8.8.8.8"} for each in range(256)]}).encode()
SHORT = b'{"requests": [{"accountId": "a"}]}'


class Work(NamedTuple):
    name: str
    size: int
    thread: str
    at_s: float


class Worked:
    """Where and when JSON and gzip were worked on, and how long it was (bytes)."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.done: list[Work] = []
        for owner, name in (
            (json_format, "Parse"),
            (json_format, "MessageToJson"),
            (GzipCompression, "compress"),
            (GzipCompression, "decompress"),
        ):
            patch.setattr(owner, name, self._spy(name, getattr(owner, name)))

    def _spy(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def worked(*given: Any, **named: Any) -> Any:
            subject = next(each for each in given if isinstance(each, bytes | Message))
            size = len(subject) if isinstance(subject, bytes) else subject.ByteSize()
            self.done.append(Work(name, size, threading.current_thread().name, time.monotonic()))
            return work(*given, **named)

        return worked

    def parsed(self) -> list[Work]:
        return [work for work in self.done if work.name == "Parse"]

    def long_on_loop(self) -> list[Work]:
        return [work for work in self.done if work.thread == LOOP and (work.size > 1000 or work.name == "decompress")]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Http2Gate]:
    opened = Http2Gate("127.0.0.1:0")
    yield opened
    opened.close(0)


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> Worked:
    return Worked(monkeypatch)


def serve(gate: Http2Gate, calls: list[Call] | None = None) -> str:
    """Open a gate whose batches are answered with the long answer, others with a short one, or kept in ``calls``."""

    async def work(lane: DecisionLane) -> None:
        while True:
            await lane.arrival()
            while lane.waiting:
                call = lane.waiting.popleft()
                if calls is not None:
                    calls.append(call)
                else:
                    lane.answer(call, LONG_ANSWER.SerializeToString() if call.method is DECIDE_BATCH else b"")

    address = gate.open()
    gate.decide_with(work)
    return address


async def convert_at_once(_: Conversions, _method: Method, _size: int, convert: Callable[[], object]) -> object:
    return convert()


LONG_ONES = {
    "a long request": (DECIDE, b'{"accountId": "a", "cookieHeader": "' + bytes(5000).replace(b"\0", b"x") + b'"}', {}),
    "a long answer": (DECIDE_BATCH, SHORT, {}),
    "both, by gzip": (DECIDE_BATCH, gzip.compress(LONG), {"content_encoding": "gzip", "accept_encoding": "gzip"}),
    "a short one by gzip, that may be a bomb": (DECIDE, gzip.compress(b"{}"), {"content_encoding": "gzip"}),
}


@PROTECTED
@pytest.mark.fault(row=23)
@pytest.mark.parametrize("long", LONG_ONES.values(), ids=LONG_ONES)
def test_the_loops_thread_converts_nothing_long(
    gate: Http2Gate,
    worked: Worked,
    monkeypatch: pytest.MonkeyPatch,
    protected: bool,
    long: tuple[Method, bytes, dict[str, str]],
) -> None:
    if not protected:
        monkeypatch.setattr(Conversions, "_converted", convert_at_once)
    method, body, headers = long
    assert post(serve(gate), method.path, body, **headers).status == 200
    assert (not worked.long_on_loop()) == protected


@PROTECTED
@pytest.mark.fault(row=23)
def test_a_single_call_does_not_wait_while_a_batch_is_converted(
    gate: Http2Gate, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        gate._conversions._of_large = gate._conversions._of_single
    is_converting, may_end = threading.Event(), threading.Event()
    parse = json_format.Parse

    def slow(text: bytes, message: Message, **named: Any) -> Message:
        if isinstance(message, pb.DecideBatchRequest):
            is_converting.set()
            may_end.wait(10)
        return parse(text, message, **named)

    monkeypatch.setattr(json_format, "Parse", slow)
    method, body, _ = LONG_ONES["a long request"]
    address = serve(gate)
    with Waiting(address, DECIDE_BATCH, LONG) as batch:
        assert is_converting.wait(10)
        if not protected:
            threading.Timer(0.1, may_end.set).start()
        assert post(address, method.path, body).status == 200
        assert may_end.is_set() == (not protected)
        may_end.set()
        assert batch.answer().status == 200


def test_an_answer_comes_as_it_was_packed(gate: Http2Gate) -> None:
    address = serve(gate)
    answer = post(address, DECIDE_BATCH.path, SHORT, accept_encoding="gzip")
    plain = post(address, DECIDE_BATCH.path, SHORT)
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == plain.body
    assert json_format.Parse(plain.body, pb.DecideBatchResponse()) == LONG_ANSWER


@pytest.mark.parametrize("content_type", ["application/grpc+proto", "application/grpc-web+proto"])
@pytest.mark.parametrize(("accepted", "flag"), [("gzip", 1), ("identity, gzip", 0), ("br, gzip", 1), ("", 0)])
def test_grpc_answers_are_packed_as_the_caller_asks(
    gate: Http2Gate, worked: Worked, content_type: str, accepted: str, flag: int
) -> None:
    question = pb.DecideBatchRequest(requests=[{"account_id": "a"}]).SerializeToString()
    headers = {"content-type": content_type, "grpc-encoding": "gzip", "grpc-accept-encoding": accepted}
    with Upload(serve(gate), DECIDE_BATCH.path, headers) as upload:
        answer = upload.end(b"\0" + len(question).to_bytes(4) + question).body
    assert answer[0] == flag
    message = answer[5 : 5 + int.from_bytes(answer[1:5])]
    assert pb.DecideBatchResponse.FromString(gzip.decompress(message) if flag else message) == LONG_ANSWER
    assert worked.long_on_loop() == []


@PROTECTED
@pytest.mark.fault(row=10)
def test_calls_without_a_place_are_refused_before_they_are_converted(
    gate: Http2Gate, worked: Worked, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(Conversions, "cause_against", lambda *_: None)
    gate._conversions = Conversions(places=2)
    kept: list[Call] = []
    address = serve(gate, kept)
    with ExitStack() as stack:
        waiting = [stack.enter_context(Waiting(address, DECIDE, b"{}")) for _ in range(2)]
        eventually(lambda: len(kept) == 2)
        third = stack.enter_context(Waiting(address, DECIDE, b"{}"))
        eventually(lambda: len(kept) == 3 or gate.refused()["room"] == 1)
        assert (len(worked.parsed()) == 2) == protected
        for call in kept:
            gate.answer(call, b"")
        assert [each.answer().status for each in waiting] == [200, 200]
        assert third.answer().status == (429 if protected else 200)


def test_a_place_is_free_again_when_its_caller_has_gone(gate: Http2Gate) -> None:
    gate._conversions = Conversions(places=1)
    kept: list[Call] = []
    address = serve(gate, kept)
    with Upload(address, DECIDE.path, {"content-type": "application/json"}) as upload:
        upload.send_last(b"{}")
        eventually(lambda: kept)
        assert gate._conversions.cause_against(DECIDE, "other") is Cause.ROOM
    eventually(lambda: gate._conversions.cause_against(DECIDE, "other") is None)


@pytest.mark.parametrize(("body", "headers"), [(LONG, {}), (gzip.compress(LONG), {"Content-Encoding": "gzip"})])
def test_a_call_has_arrived_when_its_bytes_are_in_and_not_when_they_are_read(
    gate: Http2Gate, worked: Worked, body: bytes, headers: dict[str, str]
) -> None:
    kept: list[Call] = []
    with Waiting(serve(gate, kept), DECIDE_BATCH, body, headers):
        eventually(lambda: kept)
    (parsed,) = worked.parsed()
    assert kept[0].arrived_s < parsed.at_s


class Waiting:
    """A JSON call on a connection of its own, whose answer is read later."""

    def __init__(self, address: str, method: Method, body: bytes, headers: dict[str, str] | None = None) -> None:
        self._connection = HTTPConnection(address, timeout=10)
        self._connection.request("POST", method.path, body, {"Content-Type": "application/json", **(headers or {})})

    def __enter__(self) -> "Waiting":
        return self

    def __exit__(self, *problem: object) -> None:
        self._connection.close()

    def answer(self) -> HTTPResponse:
        return self._connection.getresponse()
