"""The port of a gate: calls wait there, workers take them and hand the answers back.

A gate speaks HTTP/2 and gRPC, knows deadlines, sheds what does not fit and keeps the health of the services. Each
lane has room of its own, so that writes which the store keeps waiting take none from decisions. It knows nothing of
what the bytes mean. Every gate passes one contract suite (``tests/gate/``).
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

HEALTH_CHECKED = (
    "",
    "adtargeting.v1.TargetingService",
    "adtargeting.v1.PreferenceService",
    "adtargeting.v1.ProfileService",
)
"""The services whose health a gate reports; the empty name stands for the whole server."""


class Lane(Enum):
    """Which queue a call waits in: decisions must never wait behind anything else, nor be refused for its sake."""

    DECISIONS = "decisions"
    OTHER = "other"


class Method(NamedTuple):
    """An RPC: its full name (``/package.Service/Method``), its lane, and the most bytes a request may have.

    Of a batch ``item_bytes`` is about the size of an item, so that a gate can tell its work by its size.
    """

    path: str
    lane: Lane
    max_bytes: int
    item_bytes: int = 0

    def weight(self, size: int) -> int:
        """Tell how much room a call of so many bytes takes, in calls that are no batches."""
        return 1 + size // self.item_bytes if self.item_bytes else 1


OK, CANCELLED = 0, 1
"""Codes of ``Gate.ended`` that are no refusal's: answered, and gone before the answer."""


class Call:
    """One call that waits for its answer. Times are of ``time.monotonic``, in seconds."""

    __slots__ = ("arrived_s", "deadline_s", "gone", "method", "payload", "ticket")

    def __init__(self, method: Method, payload: bytes, arrived_s: float, deadline_s: float, ticket: Any) -> None:
        self.method = method
        self.payload = payload
        self.arrived_s = arrived_s
        self.deadline_s = deadline_s
        """When the caller stops waiting; infinity when it never does."""
        self.gone = False
        """Set by the gate when the caller has gone: nobody reads the answer."""
        self.ticket = ticket
        """The gate's own handle of the call."""

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


class GateError(Exception):
    """A gate that cannot open. The message names the setting and the remedy."""


class Gate(Protocol):
    """What the rest of the service may ask of a gate. All methods may be called from any thread."""

    @property
    def name(self) -> str:
        """What ``ADTARGETING_GATE`` calls it."""
        ...

    def open(self) -> str:
        """Listen, and give the address (``host:port``) that is bound. Raises ``GateError``."""
        ...

    def take(self, lane: Lane, limit: int, timeout_s: float) -> list[Call]:
        """Wait for calls and take what is there, the oldest first, at most ``limit``; nothing after the timeout."""
        ...

    def answer(self, answers: Sequence[tuple[Call, Answer]]) -> None:
        """Send the answers. One to a call whose caller has gone, or that was answered before, is dropped."""
        ...

    def set_health(self, service: str, *, serving: bool) -> None:
        """Report a service (one of ``HEALTH_CHECKED``) as SERVING or NOT_SERVING."""
        ...

    def inflight(self) -> int:
        """Count the calls of all lanes that wait or are being worked on."""
        ...

    def ended(self) -> Mapping[Method, Mapping[int, int]]:
        """Count the calls that have ended, those refused for want of room included, by RPC and gRPC status code.

        What never became a call (an RPC that is unknown, a message over every limit) is not counted.
        """
        ...

    def close(self, grace_s: float) -> None:
        """Report NOT_SERVING, refuse new calls with UNAVAILABLE, let the others end within the grace, then stop.

        A watch of health does not keep it waiting.
        """
        ...
