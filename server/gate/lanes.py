"""The two lanes of a gate: what waits, what of the room is taken, and how calls ended.

All bookkeeping happens on the thread of the event loop, so it needs no lock. A handler enters its call and awaits the
answer. Decisions wait in a deque, which the worker on the same thread empties; other calls in a queue for threads.
"""

import asyncio
import time
from collections import Counter, deque
from queue import Empty, Queue

from google.rpc import code_pb2

from server.gate.methods import METHODS
from server.gate.port import CANCELLED, OK, Answer, Call, Lane, Method, Refusal
from server.gate.room import Capacity, Cause, Room
from server.security.caller import Caller

_REFUSALS = {
    Cause.ROOM: Refusal(code_pb2.RESOURCE_EXHAUSTED, "too many calls are waiting; try again later"),
    Cause.BYTES: Refusal(code_pb2.RESOURCE_EXHAUSTED, "too many bytes are waiting; try again later"),
    Cause.SHARE: Refusal(
        code_pb2.RESOURCE_EXHAUSTED, "too many calls of this client are waiting; send fewer at a time"
    ),
    Cause.WAIT: Refusal(code_pb2.RESOURCE_EXHAUSTED, "the call's turn would come too late; try again later"),
    Cause.DEADLINE: Refusal(code_pb2.DEADLINE_EXCEEDED, "the deadline had passed when the request was complete"),
    Cause.SIZE: Refusal(code_pb2.RESOURCE_EXHAUSTED, "the request is larger than this RPC takes"),
    Cause.STOPPING: Refusal(
        code_pb2.UNAVAILABLE, "the service is stopping; nothing was done, the call can be repeated elsewhere"
    ),
}


_FIRST_COST_S = 0.0001
_LEAST_COST_S, _MOST_COST_S = 0.00001, 0.001
_RISING_TURNS, _FALLING_TURNS = 8, 2
"""Over how many turns the cost of a decision follows: a pause of the machine is soon forgotten, overload lasts."""
_SPARE = 1.4
"""How much longer a call of a client may wait that has no other in flight."""
_ALWAYS_LET_IN = 32
_MANY, _LONG_TURN_S = 16, 0.003
_FULL_ROUND = 32
"""h2corn begins 64 calls at most in a round of the loop: from this many on, others may be waiting."""
_ENOUGH = 64
"""Calls that are not kept waiting for more."""


class Decisions:
    """The decision lane; see ``server.gate.port.DecisionLane``."""

    def __init__(self, turns: int = 1) -> None:
        """``turns`` of the loop without a new call are waited for, so that calls that arrive together are together."""
        self.waiting: deque[Call] = deque()
        self._turns = turns
        self.begun = 0
        """Calls that the gate has ever begun to serve, refused ones included."""
        self._cost_s = _FIRST_COST_S
        self._arrived: asyncio.Future[None] | None = None

    def keep_pace(self, weight: int, took_s: float) -> None:
        """Learn the cost of a decision in a busy turn, as a moving average that falls faster than it rises.

        A long pause of the machine counts as a short one, and a short turn with a few calls says nothing about many.
        """
        if weight and (weight >= _MANY or took_s >= _LONG_TURN_S):
            cost_s = min(max(took_s / weight, _LEAST_COST_S), _MOST_COST_S)
            self._cost_s += (cost_s - self._cost_s) / (_RISING_TURNS if cost_s > self._cost_s else _FALLING_TURNS)

    def wait_s(self, before: int) -> float:
        """Return how long a single call would wait for the decisions before it."""
        return before * self._cost_s if before > _ALWAYS_LET_IN else 0.0

    async def arrival(self) -> None:
        """Wait until calls wait, and for more as long as the loop brings some."""
        if not self.waiting:
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        seen, turns = 0, 0
        while turns < self._turns and len(self.waiting) < _ENOUGH:
            turns = turns + 1 if len(self.waiting) == seen else 0
            seen = len(self.waiting)
            await asyncio.sleep(0)

    async def let_in(self, most_s: float) -> None:
        """Let answers go out and calls come in, for one round of the loop; for more while others wait to begin.

        A gate begins a limited number of calls a round, so those that cannot be served are refused within ``most_s``
        (seconds) or in the next turns, instead of waiting outside of what the room sees.
        """
        begun = self.begun
        await asyncio.sleep(0)
        ends_s = time.monotonic() + most_s
        while self.begun - begun >= _FULL_ROUND and time.monotonic() < ends_s:
            begun = self.begun
            await asyncio.sleep(0)

    def answer(self, call: Call, answer: Answer) -> None:
        """Answer a call, on the thread of the loop."""
        if not call.ticket.done():
            call.ticket.set_result(answer)

    def put(self, call: Call) -> None:
        """Let a call wait."""
        self.waiting.append(call)
        self.wake()

    def wake(self) -> None:
        """End a wait for an arrival."""
        if self._arrived is not None:
            if not self._arrived.done():
                self._arrived.set_result(None)
            self._arrived = None


class Lanes:
    """Both lanes. Everything but ``take`` and the counts belongs to the thread of the loop."""

    wants_traceparent = False
    """Whether the gate has to set ``server.gate.traceparent.TRACEPARENT`` for each call."""

    def __init__(self, capacity: Capacity, turns: int = 1) -> None:
        self.decisions = Decisions(turns)
        self.stopping = False
        self._own = 0
        """Calls of the service itself that wait or are being worked on."""
        self.ended: dict[Method, Counter[int]] = {method: Counter() for method in METHODS}
        self.refused: Counter[str] = Counter({cause.value: 0 for cause in Cause})
        # Not a SimpleQueue: of several threads that wait with a timeout, one may then wait for ever (CPython 3.11).
        self._others: Queue[Call] = Queue()
        # Large calls wait for a long time, in a room of their own: they would leave none to single calls.
        self._singles, self._large, self._other = Room(capacity), Room(capacity), Room(capacity)
        self._wait_s = capacity.wait_s

    def refusal_at_once(self, method: Method, caller: Caller) -> Refusal | None:
        """Return the refusal of a call that is certain before anything of it is read, or None."""
        cause = self._cause_at_once(method, caller.share)
        if cause is None:
            return None
        self.decisions.begun += 1
        return self.refuse(method, cause, caller)

    def _cause_at_once(self, method: Method, client: str) -> Cause | None:
        """Return why not even the lightest call fits: to read a batch that does not costs as much as to decide some."""
        if self.stopping:
            return Cause.STOPPING
        if method.lane is not Lane.DECISIONS:
            return self._other.cause_against(client, 1, 0)
        if method.in_portions:
            return self._large.cause_against(client, 1, 0)
        return Cause.WAIT if self._is_too_late(client) else None

    def refuse(self, method: Method, cause: Cause, caller: Caller) -> Refusal:
        """Count a call that is refused for want of room or time, and return its refusal."""
        refusal = _REFUSALS[cause]
        if not caller.is_own:
            self.refused[cause.value] += 1
            self.ended[method][refusal.code] += 1
        return refusal

    def end(self, method: Method, refusal: Refusal, caller: Caller) -> Refusal:
        """Count a call that ends before it comes to a lane, and return its refusal."""
        if not caller.is_own:
            self.ended[method][refusal.code] += 1
        return refusal

    async def serve(self, call: Call) -> Answer:
        """Let a call whose bytes are in wait for its answer, or refuse it at once."""
        self.decisions.begun += 1
        room = self._room_of(call)
        call.weight = room.count(call.method.weigh(call.payload))
        cause = self._cause_against(call, room)
        if cause is not None:
            return self.refuse(call.method, cause, call.caller)
        return await self._answer_to(call, room)

    def take(self, timeout_s: float) -> Call | None:
        """Wait for a call of the other lane; from any thread."""
        try:
            return self._others.get(timeout=timeout_s)
        except Empty:
            return None

    def inflight(self) -> int:
        """Count the calls of both lanes that wait or are being worked on; not those of our own."""
        return self._singles.calls + self._large.calls + self._other.calls - self._own

    def _room_of(self, call: Call) -> Room:
        if call.method.lane is not Lane.DECISIONS:
            return self._other
        return self._large if call.is_large else self._singles

    def _is_too_late(self, client: str) -> bool:
        """Whether a single call of this client would wait too long. What is left is for those who hold nothing yet."""
        turn_s = self.decisions.wait_s(self._singles.weight)
        return turn_s > self._wait_s and (turn_s > self._wait_s * _SPARE or self._singles.holds(client))

    def _cause_against(self, call: Call, room: Room) -> Cause | None:
        if self.stopping:
            return Cause.STOPPING
        if len(call.payload) > call.method.max_bytes:
            return Cause.SIZE
        if call.deadline_s <= call.arrived_s:
            return Cause.DEADLINE
        if room is self._singles and (
            self._is_too_late(call.client) or call.arrived_s + self.decisions.wait_s(room.weight) > call.deadline_s
        ):
            return Cause.WAIT
        return room.cause_against(call.client, call.weight, len(call.payload))

    async def _answer_to(self, call: Call, room: Room) -> Answer:
        size = len(call.payload)
        call.ticket = asyncio.get_running_loop().create_future()
        room.enter(call.client, call.weight, size)
        self._own += call.caller.is_own
        (self.decisions if call.method.lane is Lane.DECISIONS else self._others).put(call)
        code = CANCELLED
        try:
            answer: Answer = await call.ticket
            code = answer.code if isinstance(answer, Refusal) else OK
            return answer
        finally:
            # Reached too when the caller goes away; nothing reads the answer then.
            call.gone = True
            room.leave(call.client, call.weight, size)
            self._own -= call.caller.is_own
            if not call.caller.is_own:
                self.ended[call.method][code] += 1
