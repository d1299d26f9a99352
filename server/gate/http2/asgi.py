"""The parts of ASGI that are used here, typed (ASGI 3.0, HTTP connection scope, with the trailers extension)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]
PLAIN_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")


async def respond(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    """Send a whole response without trailers."""
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": body, "more_body": False})
