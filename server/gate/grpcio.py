"""The gate on grpcio's ``grpc.aio``, wherever Python runs.

An event loop in a thread of its own does the I/O. All bookkeeping of what is in flight happens on that loop, so it
needs no lock. A handler only parks its call and awaits the answer.
"""

import asyncio
import math
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, NoReturn, TypeAlias, TypeVar

import grpc
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from server.gate.listening import listen
from server.gate.methods import METHODS, SERVICES
from server.gate.port import CANCELLED, HEALTH_CHECKED, OK, Answer, Call, GateError, Lane, Method, Refusal

T = TypeVar("T")
_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"

_STATUS_KEY = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_LAST_WORD_S, _SENDING_S, _POLL_S = 0.1, 0.5, 0.005
_MANY, _LONGEST_TURN_S, _QUARTERS_MORE = 2, 0.005, 3
_CALLS_REMEMBERED = 8
_FRAMING_BYTES = 16 * 1024
_NO_ROOM_OF_ITS_OWN = 1 << 20
_OPTIONS = (
    # gRPC would cancel calls that wait for the event loop before our own waiting room could refuse them in words.
    ("grpc.server.max_pending_requests", _NO_ROOM_OF_ITS_OWN),
    ("grpc.server.max_pending_requests_hard_limit", _NO_ROOM_OF_ITS_OWN),
    # A second server on the same port is a mistake here, and must be told.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", max(method.max_bytes for method in METHODS) + _FRAMING_BYTES),
    ("grpc.max_concurrent_streams", 1024),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)


class Capacity(NamedTuple):
    """How much may be in flight in one lane: calls (a batch as many as it weighs), and bytes. More is refused."""

    calls: int = 2048
    bytes: int = 64 * 1024 * 1024


DEFAULT_CAPACITY = Capacity()


class _Pace:
    """How long the event loop computes for one call (seconds), as measured: a moving average. Updated on the loop."""

    def __init__(self) -> None:
        self.call_s = 0.0001
        self._spent_s = 0.0
        self._answered = 0

    def measure(self, calls: int) -> None:
        """Take into account what the loop has computed since many were answered: so many more now, and those between.

        Calls alone say nothing of many: the loop is idle between them, and computes several times as long for each.
        """
        self._answered += calls
        if calls < _MANY:
            return
        before_s, self._spent_s = self._spent_s, time.thread_time()
        answered, self._answered = self._answered, 0
        if answered < 2 * calls:
            call_s = min((self._spent_s - before_s) / answered, _LONGEST_TURN_S)
            self.call_s += (call_s - self.call_s) / _CALLS_REMEMBERED


class _LaneQueue:
    """One lane: its queue, and what of its room is taken."""

    def __init__(self, room: Capacity) -> None:
        self.calls: SimpleQueue[Call] = SimpleQueue()
        self.inflight = 0
        self.answered = 0
        """How many calls were answered together since the last look; one alone leaves nothing to give way to."""
        self._weight = 0
        self._bytes = 0
        self._room = room

    def yield_to_loop(self, call_s: float) -> None:
        """Let the event loop answer the calls that are done, and receive as many: it computes so long for each.

        It needs the interpreter's lock for that. A worker that takes the first call that comes asks for the lock all
        the while, and both lose half their time to handing it over (ADR 0013).
        """
        answered, self.answered = self.answered, 0
        if not answered:
            return
        turn_s = min(answered * call_s, _LONGEST_TURN_S)
        time.sleep(turn_s)
        for _ in range(_QUARTERS_MORE):
            if self.calls.qsize() >= answered:
                break
            time.sleep(turn_s / 4)

    def fits(self, method: Method, size: int) -> bool:
        """Tell whether there is room for one call more, of this many bytes. A batch that is alone fits in any case."""
        is_room = not self.inflight or self._weight + method.weight(size) <= self._room.calls
        return is_room and self._bytes + size <= self._room.bytes

    def enter(self, call: Call) -> None:
        """Let a call in."""
        size = len(call.payload)
        self.inflight += 1
        self._weight += call.method.weight(size)
        self._bytes += size
        self.calls.put(call)

    def leave(self, call: Call) -> None:
        """Give back what a call took."""
        size = len(call.payload)
        self.inflight -= 1
        self._weight -= call.method.weight(size)
        self._bytes -= size


class GrpcioGate:
    """The gate on ``grpc.aio``; see ``server.gate.port.Gate``."""

    name = "grpcio"

    def __init__(self, address: str, room: Capacity = DEFAULT_CAPACITY) -> None:
        self._address = address
        self._lanes = {lane: _LaneQueue(room) for lane in Lane}
        self._stopping = False
        self._ended: dict[Method, Counter[int]] = {method: Counter() for method in METHODS}
        self._loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="gate", daemon=True)
        self._pace = _Pace()
        self._server: grpc.aio.Server | None = None
        self._health = health.aio.HealthServicer()

    def open(self) -> str:
        """Listen, and give the bound address. Raises ``GateError``."""
        # Asked of gRPC alone, a "no" comes without its reason, and with pages of gRPC's own log.
        listen(self._address).close()
        self._thread.start()
        try:
            return self._on_loop(self._start())
        except RuntimeError as problem:
            self._stop_loop()
            raise GateError(f"ADTARGETING_GRPC_ADDRESS: cannot listen on {self._address}") from problem

    def take(self, lane: Lane, limit: int, timeout_s: float) -> list[Call]:
        """Wait for calls and take what is there."""
        waiting = self._lanes[lane]
        waiting.yield_to_loop(self._pace.call_s)
        calls: list[Call] = []
        # An empty queue is the ordinary end of taking.
        with suppress(Empty):
            calls.append(waiting.calls.get(timeout=timeout_s))
            while len(calls) < limit:
                calls.append(waiting.calls.get_nowait())
        return calls

    def answer(self, answers: Sequence[tuple[Call, Answer]]) -> None:
        """Send the answers, all of one lane."""
        if answers:
            if len(answers) >= _MANY:
                self._lanes[answers[0][0].method.lane].answered += len(answers)
            self._loop.call_soon_threadsafe(self._deliver, answers)

    def set_health(self, service: str, *, serving: bool) -> None:
        """Report a service as SERVING or NOT_SERVING."""
        self._on_loop(self._set_health(service, serving=serving))

    def inflight(self) -> int:
        """Count the calls in flight."""
        return sum(lane.inflight for lane in self._lanes.values())

    def ended(self) -> Mapping[Method, Mapping[int, int]]:
        """Count the calls that have ended."""
        return {method: counts.copy() for method, counts in self._ended.items()}

    def close(self, grace_s: float) -> None:
        """Report NOT_SERVING, refuse new calls, let the others end, stop."""
        if self._thread.is_alive():
            self._on_loop(self._stop(grace_s))
            self._stop_loop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> str:
        server = grpc.aio.server(options=_OPTIONS)
        host, _, port = self._address.rpartition(":")
        bound = server.add_insecure_port(f"{host}:{port}")
        # Bytes in, bytes out: the gate does not know what a message means.
        for method in METHODS:
            _, service, name = method.path.split("/")
            handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self._handler(method))
            server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {name: handler})])
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
        for service in HEALTH_CHECKED:
            await self._set_health(service, serving=False)
        await server.start()
        self._server = server
        return f"{host}:{bound}"

    async def _stop(self, grace_s: float) -> None:
        ends_s = time.monotonic() + grace_s
        self._stopping = True
        await self._health.enter_graceful_shutdown()
        # gRPC cuts off what arrives once it stops. Until then callers are told, and take their calls elsewhere.
        await asyncio.sleep(min(_LAST_WORD_S, grace_s))
        while self.inflight() and time.monotonic() < ends_s:
            await asyncio.sleep(_POLL_S)
        if self._server is not None:
            # What may be left are answers on their way, and watches of health, which never end by themselves.
            await self._server.stop(min(_SENDING_S, max(ends_s - time.monotonic(), 0)))

    async def _set_health(self, service: str, *, serving: bool) -> None:
        status = health_pb2.HealthCheckResponse
        await self._health.set(service, status.SERVING if serving else status.NOT_SERVING)

    def _handler(self, method: Method) -> Callable[[bytes, _Context], Awaitable[bytes]]:
        lane, loop, ended = self._lanes[method.lane], self._loop, self._ended[method]

        async def handle(payload: bytes, context: _Context) -> bytes:
            answer: Answer | None = self._refusal(method, len(payload))
            if answer is None:
                now = time.monotonic()
                call = Call(method, payload, now, now + _seconds_left(context), loop.create_future())
                lane.enter(call)
                try:
                    answer = await call.ticket
                finally:
                    # Reached too when the caller goes away; nobody then reads the answer.
                    call.gone = True
                    lane.leave(call)
                    if answer is None:
                        ended[CANCELLED] += 1
            if isinstance(answer, Refusal):
                ended[answer.code] += 1
                await _refuse(context, answer)
            ended[OK] += 1
            return answer

        return handle

    def _deliver(self, answers: Sequence[tuple[Call, Answer]]) -> None:
        self._pace.measure(len(answers))
        for call, answer in answers:
            if not call.ticket.done():
                call.ticket.set_result(answer)

    def _refusal(self, method: Method, size: int) -> Refusal | None:
        """Say why a call of so many bytes cannot be taken now, if it cannot."""
        if self._stopping:
            return _STOPPING
        if size > method.max_bytes:
            return _TOO_LARGE
        return None if self._lanes[method.lane].fits(method, size) else _FULL


_FULL = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], "too many calls are waiting; try again later")
_STOPPING = Refusal(
    grpc.StatusCode.UNAVAILABLE.value[0], "the service is stopping; nothing was done, so it is safe to repeat elsewhere"
)
_TOO_LARGE = Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], "the request is larger than this RPC takes")


def _seconds_left(context: _Context) -> float:
    left: float | None = context.time_remaining()  # None without a deadline, whatever the stubs say
    return math.inf if left is None else left


async def _refuse(context: _Context, refusal: Refusal) -> NoReturn:
    metadata = ((_STATUS_KEY, refusal.status),) if refusal.status else ()
    await context.abort(_CODES[refusal.code], refusal.message, metadata)
