"""Bodies that come slowly or never end: what is held of them is bounded, and shared among clients."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.gate.http2.asgi import Message
from server.gate.http2.bodies import Bodies
from server.gate.http2.gate import Http2Gate
from server.gate.methods import DECIDE, DECIDE_BATCH
from server.gate.port import Method
from server.gate.room import Capacity, Cause
from tests.forgetful import Forgetful
from tests.server.gate.conftest import answer_all
from tests.server.gate.raw_http2 import Answer, Upload
from tests.waiting import eventually

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
KB = 1000
MOST_BYTES, PIECE, UPLOADS = 200 * KB, bytes(15 * KB), 24
GONE: Message = {"type": "http.disconnect"}


def pieces(*sizes_kb: int, is_last: bool = True) -> Iterator[Message]:
    for number, size_kb in enumerate(sizes_kb, 1):
        yield {"type": "http.request", "body": bytes(size_kb * KB), "more_body": number < len(sizes_kb) or not is_last}


class Slow:
    """A caller whose body comes in pieces, and who then waits until ``go_on``."""

    def __init__(self, *sizes_kb: int) -> None:
        self._messages = pieces(*sizes_kb, is_last=False)
        self._last = asyncio.get_running_loop().create_future()

    def go_on(self, message: Message) -> None:
        self._last.set_result(message)

    async def __call__(self) -> Message:
        following = next(self._messages, None)
        return following if following is not None else await self._last


async def read_all(bodies: Bodies, client: str, messages: Iterator[Message]) -> bytes | Cause | None:
    async def receive() -> Message:
        return next(messages)

    return await bodies.read(receive, DECIDE_BATCH, client)


async def stalled(bodies: Bodies, client: str, *sizes_kb: int) -> tuple[Slow, "asyncio.Task[bytes | Cause | None]"]:
    slow = Slow(*sizes_kb)
    reading = asyncio.ensure_future(bodies.read(slow, DECIDE_BATCH, client))
    await asyncio.sleep(0)
    return slow, reading


def test_a_body_is_held_until_it_is_whole() -> None:
    async def check() -> None:
        bodies = Bodies(100 * KB)
        slow, reading = await stalled(bodies, "a", 10, 20)
        assert bodies.held_bytes == 30 * KB
        slow.go_on(next(pieces(5)))
        assert await reading == bytes(35 * KB)
        assert bodies.held_bytes == 0

    asyncio.run(check())


@pytest.mark.parametrize("is_cancelled", [True, False], ids=["its task is cancelled", "it goes"])
def test_of_a_caller_who_goes_nothing_is_held(is_cancelled: bool) -> None:
    async def check() -> None:
        bodies = Bodies(100 * KB)
        slow, reading = await stalled(bodies, "a", 10)
        if is_cancelled:
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        else:
            slow.go_on(GONE)
            assert await reading is None
        assert bodies.held_bytes == 0

    asyncio.run(check())


@pytest.mark.parametrize(
    ("client", "sizes_kb", "expected"),
    [
        pytest.param("a", (30,), bytes(30 * KB), id="whole at once: never on its way"),
        pytest.param("b", (10, 5), bytes(15 * KB), id="it fits"),
        pytest.param("b", (20, 20, 5), bytes(45 * KB), id="the only one of its client, however long"),
        pytest.param("b", (20, 21, 5), Cause.BYTES, id="all together are too long"),
        pytest.param("a", (5, 0), Cause.SHARE, id="its client would hold more than it leaves free"),
        pytest.param("a", (4, 0), bytes(4 * KB), id="it has little more than begun"),
    ],
)
def test_beside_a_client_that_holds_its_share(client: str, sizes_kb: tuple[int, ...], expected: bytes | Cause) -> None:
    async def check() -> None:
        bodies = Bodies(100 * KB)
        _, reading = await stalled(bodies, "a", 60)
        assert await read_all(bodies, client, pieces(*sizes_kb)) == expected
        assert bodies.held_bytes == 60 * KB
        reading.cancel()

    asyncio.run(check())


@pytest.mark.parametrize("method", [DECIDE, DECIDE_BATCH], ids=lambda method: method.path.rpartition("/")[2])
def test_no_more_is_read_than_the_rpc_takes(method: Method) -> None:
    async def check() -> None:
        bodies, piece_kb = Bodies(10_000 * KB), method.max_bytes // KB // 2
        slow = Slow(piece_kb, piece_kb, 30)
        assert await bodies.read(slow, method, "a") is Cause.SIZE
        assert bodies.held_bytes == 0

    asyncio.run(check())


@PROTECTED
@pytest.mark.fault(row=23)
def test_a_client_whose_bodies_stall_leaves_room_for_another(monkeypatch: pytest.MonkeyPatch, protected: bool) -> None:
    bodies = Bodies(100 * KB)
    if not protected:
        monkeypatch.setattr(bodies, "_held_by", Forgetful())

    async def modest() -> bytes | Cause | None:
        greedy = [await stalled(bodies, "greedy", 10) for _ in range(10)]
        found = await read_all(bodies, "modest", pieces(10, 10))
        for _, reading in greedy:
            reading.cancel()
        return found

    assert asyncio.run(modest()) == (bytes(20 * KB) if protected else Cause.BYTES)


@PROTECTED
@pytest.mark.fault(row=13)
def test_bodies_that_stall_are_bounded_together_and_a_neighbour_is_served(
    monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(Bodies, "_cause_against", lambda *_: None)
    gate = Http2Gate("127.0.0.1:0", Capacity(bytes=MOST_BYTES))
    address = gate.open()
    gate.decide_with(answer_all)
    try:
        with ExitStack() as stack:
            uploads = [stack.enter_context(Upload(address, DECIDE_BATCH.path)) for _ in range(UPLOADS)]
            for _ in range(4):
                for upload in uploads:
                    upload.send(PIECE)
            eventually(lambda: held(gate) == 4 * len(PIECE) * (UPLOADS - refused(gate)))
            assert (held(gate) <= MOST_BYTES) == protected
            assert ask_in_two_pieces(address).headers["grpc-status"] == "0"
        eventually(lambda: held(gate) == 0)
    finally:
        gate.close(0)


def test_a_body_that_does_not_fit_is_refused_before_its_end() -> None:
    gate = Http2Gate("127.0.0.1:0", Capacity(bytes=20_000))
    address = gate.open()
    try:
        with Upload(address, DECIDE_BATCH.path) as upload:
            upload.send(PIECE)
            upload.send(PIECE)
            headers = upload.answer().headers
    finally:
        gate.close(0)
    assert (headers["grpc-status"], headers["grpc-message"]) == ("8", "too many bytes are waiting; try again later")


def held(gate: Http2Gate) -> int:
    return gate._bodies.held_bytes


def refused(gate: Http2Gate) -> int:
    return gate.refused()["bytes"] + gate.refused()["share"]


def ask_in_two_pieces(address: str) -> Answer:
    message = pb.DecideRequest(account_id="alice").SerializeToString()
    with Upload(address, DECIDE.path) as upload:
        upload.send(b"\0")
        return upload.end(len(message).to_bytes(4) + message)
