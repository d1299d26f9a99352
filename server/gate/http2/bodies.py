"""Bodies of requests on their way in: read whole, and counted as they come, for the gate and for each client.

A request is in no room of the lanes before it is complete, and thousands may stall just before that. What has come of
all of them is bounded here in bytes, and no client holds more of it than it leaves free. A body that comes at once, or
has little more than begun, takes nothing. Used on the thread of the gate's event loop.
"""

from typing import Final

from server.gate.http2.asgi import Receive
from server.gate.http2.grpc_wire import PREFIX_BYTES
from server.gate.port import Method
from server.gate.room import Cause

_SMALL_BYTES: Final = 4096
"""A first piece of this size is not counted, which would cost every call time: 32 MiB if all tasks of a gate stall."""
_SLACK_BYTES: Final = 16 * 1024
"""How much more than its RPC takes is read of a body: it is refused in words by those who know the message's size."""


class Bodies:
    """What is held of the bodies that are under way."""

    def __init__(self, most_bytes: int) -> None:
        self.held_bytes = 0
        self._most_bytes = most_bytes
        self._held_by: dict[str, int] = {}

    async def read(self, receive: Receive, method: Method, client: str) -> bytes | Cause | None:
        """Return the body of a call when it is complete, why it is refused, or None if the caller has gone."""
        message = await receive()
        begun: bytes = message.get("body", b"")
        if message.get("more_body", False) and len(begun) <= _SMALL_BYTES:
            # The end of most bodies comes by itself.
            message = await receive()
            begun += message.get("body", b"")
        if message.get("more_body", False):
            return await self._read_rest(begun, receive, client, _most_bytes(method))
        return None if message["type"] == "http.disconnect" else begun

    async def _read_rest(self, begun: bytes, receive: Receive, client: str, most_bytes: int) -> bytes | Cause | None:
        # Joined as it comes: a list of very small pieces takes many times their bytes.
        body, piece, is_whole = bytearray(), begun, False
        try:
            while not is_whole:
                if len(body) + len(piece) > most_bytes:
                    return Cause.SIZE
                if (cause := self._cause_against(client, len(body), len(piece))) is not None:
                    return cause
                body += piece
                self._hold(client, len(piece))
                message = await receive()
                piece, is_whole = message.get("body", b""), not message.get("more_body", False)
        finally:
            self._hold(client, -len(body))
        return None if message["type"] == "http.disconnect" else bytes(body + piece)

    def _cause_against(self, client: str, size: int, more: int) -> Cause | None:
        """Return why ``more`` bytes cannot be held for a body that has ``size``, or None.

        The only body of a client is bounded by the gate alone, however long it is.
        """
        free = self._most_bytes - self.held_bytes - more
        if free < 0:
            return Cause.BYTES
        others = self._held_by.get(client, 0) - size
        return Cause.SHARE if others and others + size + more > free else None

    def _hold(self, client: str, size: int) -> None:
        self.held_bytes += size
        held = self._held_by.pop(client, 0) + size
        if held:
            self._held_by[client] = held


def _most_bytes(method: Method) -> int:
    return method.max_bytes + PREFIX_BYTES + _SLACK_BYTES
