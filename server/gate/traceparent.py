"""The caller's ``traceparent`` header on its way from a gate to the lanes (W3C Trace Context, section 3.2).

Gates set it in the context of a call, and only where the lanes ask for it: without traces nothing reads a header.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from server.gate.http2.asgi import Application, Receive, Scope, Send

T = TypeVar("T")

TRACEPARENT: Final = ContextVar("traceparent", default="")
"""The header of the call that the current task serves; empty without one."""
_NAME: Final = "traceparent"
_NAME_BYTES: Final = _NAME.encode("ascii")


class TraceparentApplication:
    """An ASGI application that sets the header, and calls another."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        for name, value in scope.get("headers", ()):
            if name == _NAME_BYTES:
                TRACEPARENT.set(value.decode("latin-1"))
        await self._application(scope, receive, send)


def with_traceparent(handle: Callable[[bytes, Any], Awaitable[T]]) -> Callable[[bytes, Any], Awaitable[T]]:
    """Return a handler of grpc.aio that sets the header, and calls another."""

    async def handle_in_context(payload: bytes, context: Any) -> T:
        for name, value in context.invocation_metadata() or ():
            if name == _NAME:
                TRACEPARENT.set(value if isinstance(value, str) else "")
        return await handle(payload, context)

    return handle_in_context
