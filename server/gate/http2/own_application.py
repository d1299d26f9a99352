"""The ASGI application of the port for a part of the service itself: the gate's, behind the part's credential."""

from server.gate.http2.application import OWN_CALLER
from server.gate.http2.asgi import Application, Receive, Scope, Send
from server.gate.http2.grpc_wire import send_refusal
from server.gate.own_port import NO_CREDENTIAL
from server.security.own_credential import OwnCredential


class OwnApplication:
    """Lets through the calls of one part of the service, and tells the gate whose they are."""

    def __init__(self, gate: Application, part: OwnCredential) -> None:
        self._gate = gate
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if self._part.is_shown_by(headers.get(b"authorization", b"").decode("latin-1")):
            await self._gate({**scope, OWN_CALLER: self._part.caller}, receive, send)
        else:
            await send_refusal(send, NO_CREDENTIAL)
