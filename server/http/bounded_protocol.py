"""HTTP/1.1 for uvicorn with bounded connections and times, so that no client can lock others out.

Invariant: a connection on which no answer ends within ``ANSWER_S`` is closed, whether it is idle, sends its request
slowly or reads its answer slowly; a new connection takes the place of the oldest idle one when there are too many.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from server.http.client_certificate import with_certificate

MAX_CONNECTIONS: Final = 256
ACCEPTED_TOGETHER: Final = 128
"""Connections accepted in one turn of the loop; fewer than the most, so that each is read before it is replaced."""
ANSWER_S: Final = 10.0


class BoundedProtocol(H11Protocol):
    """One connection."""

    answer_s = ANSWER_S
    max_connections = MAX_CONNECTIONS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self.opened_s = self.loop.time()
        """When the client came, by the loop's clock."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to wait for the first request, and make room."""
        super().connection_made(transport)
        if (tls := transport.get_extra_info("ssl_object")) is not None:
            self.app = with_certificate(self.app, tls)
        self._restart_deadline()
        if len(self.connections) > self.max_connections:
            oldest = min(self._bounded(), key=lambda other: (other.is_answering, other.opened_s))
            # It would leave the set only in the next turn of the loop, and be the oldest until then.
            self.connections.discard(oldest)
            oldest.transport.abort()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._restart_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()

    @property
    def is_answering(self) -> bool:
        """Whether a request has come and its answer has not ended."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever its type says
        return cycle is not None and not cycle.response_complete

    def _bounded(self) -> "list[BoundedProtocol]":
        return [other for other in self.connections if isinstance(other, BoundedProtocol)]

    def _restart_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        # Not close(), which would wait until a slow reader has taken what is left.
        self._deadline = self.loop.call_later(self.answer_s, self.transport.abort)
