"""The port of a gate: what the rest of the service sees of it.

A gate speaks gRPC, knows deadlines, sheds what does not fit, and keeps the health of the services. Decisions are made
on the thread of its event loop; everything else is taken by threads. It knows nothing of what the bytes mean. Every
gate passes one contract suite (``tests/contracts/``).
"""

from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from server.security.caller import ANONYMOUS, Caller
from server.security.own_credential import OwnCredential
from server.security.roles import Role

GRPC_ADDRESS = "ADTARGETING_GRPC_ADDRESS"
"""The setting of the address that a gate listens on."""

if TYPE_CHECKING:
    from server.tracing.tracer import Tracer

HEALTH_CHECKED = (
    "",
    "adtargeting.v1.TargetingService",
    "adtargeting.v1.PreferenceService",
    "adtargeting.v1.ProfileService",
)
"""The services whose health a gate reports; the empty name stands for the whole server."""


class Lane(Enum):
    """Where a call waits: decisions never wait behind anything else, nor are they refused for its sake."""

    DECISIONS = "decisions"
    OTHER = "other"


def _one(_: bytes) -> int:
    return 1


class Method(NamedTuple):
    """An RPC: its full name (``/package.Service/Method``), its lane, and the role that a client needs for it.

    ``max_bytes`` bounds a request. ``weigh`` tells its work from its bytes, at little cost: about how many decisions it
    takes.
    """

    path: str
    lane: Lane
    role: Role
    max_bytes: int
    weigh: Callable[[bytes], int] = _one
    in_portions: bool = False
    """Whether it is a batch, which is worked off in portions, so that no other call waits for all of it."""


LARGE_BYTES = 16 * 1024
"""A longer request is worked on like a batch: other calls go in between."""

OK, CANCELLED = 0, 1
"""Codes of ``Gate.ended`` that no refusal has: answered, and gone before the answer."""


class Call:
    """One call that waits for its answer. Times are of ``time.monotonic``, in seconds."""

    __slots__ = (
        "arrived_s",
        "caller",
        "client",
        "deadline_s",
        "gone",
        "is_large",
        "method",
        "payload",
        "span",
        "ticket",
        "weight",
    )

    def __init__(
        self, method: Method, payload: bytes, arrived_s: float, deadline_s: float, caller: Caller = ANONYMOUS
    ) -> None:
        self.method = method
        self.payload = payload
        self.arrived_s = arrived_s
        """When the last byte of the request was in."""
        self.deadline_s = deadline_s
        """When the caller stops waiting; infinity when it never does."""
        self.caller = caller
        """Who makes it."""
        self.client = caller.share
        """Whose share of the room it takes: a client's name, or its connection."""
        self.is_large = method.in_portions or len(payload) > LARGE_BYTES
        """Whether single calls go first: it is a batch, or long."""
        self.weight = 1
        """About how many decisions it takes; see ``Method.weigh``."""
        self.gone = False
        """Set by the gate when the caller has gone: the answer is not read."""
        self.ticket: Any = None
        """The gate's own handle of the call."""
        self.span: Any = None
        """Its span, where traces are switched on."""

    def __repr__(self) -> str:
        """Name the method; the payload is the caller's."""
        return f"Call({self.method.path})"


class Refusal(NamedTuple):
    """An answer that is an error: a gRPC status code, its message, and the serialised ``google.rpc.Status``.

    ``field`` is the path of the field that is refused, where it is one.
    """

    code: int
    message: str
    status: bytes = b""
    field: str = ""


Answer = bytes | Refusal


class DecisionLane(Protocol):
    """The decision calls that wait. Used on the thread of the gate's event loop only."""

    waiting: deque[Call]
    """The calls that wait, the oldest first; taken from the left."""

    async def arrival(self) -> None:
        """Wait until a call waits, and one turn of the loop longer, so that calls that arrive together are together."""
        ...

    async def let_in(self, most_s: float) -> None:
        """Let answers go out and calls come in; for as long as ``most_s`` (seconds) while more wait to begin."""
        ...

    def answer(self, call: Call, answer: Answer) -> None:
        """Answer a call. An answer is dropped if its caller has gone, or the call was answered before."""
        ...

    def wake(self) -> None:
        """End a wait for an arrival: there is something else to do."""
        ...

    def keep_pace(self, weight: int, took_s: float) -> None:
        """Learn how long a turn with single calls of this weight took, with all that the loop did for other calls.

        No more calls are then let in than can be served in time.
        """
        ...


class Gate(Protocol):
    """What the rest of the service may ask of a gate, from any thread."""

    @property
    def name(self) -> str:
        """What ``ADTARGETING_GATE`` calls it."""
        ...

    def open(self) -> str:
        """Listen, and return the bound address, in the form of the setting. Raises ``ListenError``."""
        ...

    def listen_for(self, part: OwnCredential, path: Path) -> None:
        """Listen on a new Unix socket too, for a part of the service, once the gate is open.

        Raises ``ListenError``.
        """
        ...

    def decide_with(self, worker: Callable[[DecisionLane], Coroutine[Any, Any, None]]) -> None:
        """Run the worker of the decision lane on the loop's thread until the gate is closed."""
        ...

    def take(self, timeout_s: float) -> Call | None:
        """Wait for a call of the other lane, the oldest first; None after the timeout."""
        ...

    def answer(self, call: Call, answer: Answer) -> None:
        """Answer a call of the other lane; as ``DecisionLane.answer``."""
        ...

    def set_health(self, service: str, *, serving: bool) -> None:
        """Report a service (one of ``HEALTH_CHECKED``) as SERVING or NOT_SERVING."""
        ...

    def observe_lag_with(self, observe: Callable[[float], None]) -> None:
        """Report, ten times a second, how late the event loop comes to a timer that was due (seconds)."""
        ...

    def is_alive(self) -> bool:
        """Whether the event loop, the worker of decisions and what accepts connections run."""
        ...

    def inflight(self) -> int:
        """Count the calls of both lanes that wait or are being worked on; not those of our own."""
        ...

    def ended(self) -> Mapping[Method, Mapping[int, int]]:
        """Count the calls that have ended, refused ones included, by RPC and gRPC status code; not those of our own.

        What the server under the gate refuses by itself, and RPCs that are unknown, are not counted.
        """
        ...

    def refused(self) -> Mapping[str, int]:
        """Count the calls that were refused for want of room or time, by cause."""
        ...

    def close(self, grace_s: float) -> None:
        """Report NOT_SERVING, refuse new calls with UNAVAILABLE, let the others end within the grace, then stop.

        A watch of health does not keep it waiting.
        """
        ...


class TraceableGate(Gate, Protocol):
    """A gate that can make spans of calls."""

    def trace_with(self, tracer: "Tracer") -> None:
        """Have calls traced; before ``open``."""
        ...
