"""What keeps web pages out that may not call: the names of ``Host`` and ``Origin``, and no GET.

JSON makes the port reachable from browsers. A request over HTTP/1.1, or with an ``Origin``, must carry a ``Host`` that
the port is called by, or a page of any site could reach a port on loopback by DNS rebinding. An ``Origin`` must be in
the configured list. GET is off: ids would stand in URLs, and so in histories and logs.
"""

from collections.abc import Callable, Mapping

from server.gate.http2.asgi import PLAIN_TEXT, Application, Headers, Message, Receive, Scope, Send, respond
from server.gate.http2.limits import AllowedNames

_LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))
_ALLOWED_HEADERS = (
    b"content-type, connect-protocol-version, connect-timeout-ms, grpc-timeout, x-grpc-web, x-user-agent, authorization"
)
_REMEDIES = {
    421: b"this port is not called by the name in Host; list the name in ADTARGETING_HOSTS\n",
    405: b"call by POST, with content-type: application/json\n",
    403: b"pages of this Origin may not call this port; list the origin in ADTARGETING_ORIGINS\n",
}
_EXPOSED_HEADERS = b"grpc-status, grpc-message, grpc-status-details-bin"


def guarded(application: Application, allowed: AllowedNames, count: Callable[[str, int], None]) -> Application:
    """Return the application behind the checks. ``count`` is told the path and HTTP status of what is kept out."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        if (status := _status_against(scope, headers, allowed)) is not None:
            count(scope["path"], status)
            await respond(send, status, [PLAIN_TEXT], _REMEDIES[status])
        elif origin is not None and scope["method"] == "OPTIONS":
            await respond(send, 204, _preflight(origin))
        elif scope["method"] != "POST":
            count(scope["path"], 405)
            await respond(send, 405, [PLAIN_TEXT, (b"allow", b"POST")], _REMEDIES[405])
        else:
            await application(scope, receive, send if origin is None else _with_origin(send, origin))

    return guard


def _status_against(scope: Scope, headers: Mapping[bytes, bytes], allowed: AllowedNames) -> int | None:
    origin = headers.get(b"origin")
    if origin is None and scope["http_version"] == "2":
        return None
    if not _is_own(headers.get(b"host", b"").decode("latin-1"), scope, allowed):
        return 421
    return None if origin is None or origin.decode("latin-1") in allowed.origins else 403


def _is_own(host: str, scope: Scope, allowed: AllowedNames) -> bool:
    """Whether a ``Host`` names this port: as listening, as configured, or loopback where loopback is listened on.

    No browser reaches a Unix socket, so any name is its own.
    """
    name = _without_port(host).lower()
    own = {_without_port(each).lower() for each in allowed.hosts}
    local, port = scope["server"]
    return port is None or (bool(name) and (name in own or name == local or (local in _LOOPBACK and name in _LOOPBACK)))


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]


def _preflight(origin: bytes) -> Headers:
    return [
        *_shared_with(origin),
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", _ALLOWED_HEADERS),
        (b"access-control-max-age", b"7200"),
    ]


def _shared_with(origin: bytes) -> Headers:
    return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]


def _with_origin(send: Send, origin: bytes) -> Send:
    """Return a ``send`` whose response the page of this origin may read."""

    async def sharing(message: Message) -> None:
        if message["type"] == "http.response.start":
            exposed = (b"access-control-expose-headers", _EXPOSED_HEADERS)
            message = {**message, "headers": [*message["headers"], *_shared_with(origin), exposed]}
        await send(message)

    return sharing
