"""Calls of the contract in other forms than plain gRPC, by connectrpc.

A call that is certain to be refused is refused before its body is read. connectrpc is handed a body when it is whole,
and the end of every call is counted, also of one that connectrpc refuses.
"""

import time
from itertools import groupby

from server.gate.connect.admitted import ADMITTED, AdmittedRequest
from server.gate.connect.codes import error_of
from server.gate.connect.endpoints import call_endpoint
from server.gate.connect.mounted import Mounted
from server.gate.http2.asgi import Message, Receive, Scope, Send
from server.gate.http2.intake import Intake
from server.gate.methods import METHODS
from server.gate.port import Method, Refusal
from server.gate.room import Cause
from server.security.caller import Caller


class ContractCalls:
    """Serves calls whose caller is known."""

    def __init__(self, intake: Intake) -> None:
        self._lanes = intake.lanes
        self._bodies = intake.bodies
        self._mounted: dict[Method, Mounted] = {}
        for most_bytes, group in groupby(sorted(METHODS, key=_most_bytes), _most_bytes):
            methods = list(group)
            mounted = Mounted({method.path: call_endpoint(intake, method) for method in methods}, most_bytes)
            self._mounted |= dict.fromkeys(methods, mounted)

    async def serve(
        self, method: Method, admitted: Caller | Refusal, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve one call, of a caller who is admitted or refused."""
        if isinstance(admitted, Caller):
            admitted = self._lanes.refusal_at_once(method, admitted) or admitted
        request = AdmittedRequest(admitted)
        ADMITTED.set(request)
        await self._mounted[method](scope, self._reading(method, request, receive), send)
        if request.is_to_be_counted:
            self._lanes.end(method, Refusal(request.code, ""), request.caller)

    def _reading(self, method: Method, request: AdmittedRequest, receive: Receive) -> Receive:
        """Return a ``receive`` that gives the body whole. It raises ``ConnectError`` for a body that does not fit."""

        async def received() -> Message:
            if request.has_arrived:
                more: Message = await receive()
                return more
            body = await self._bodies.read(receive, method, request.caller.share)
            if body is None:
                return {"type": "http.disconnect"}
            if isinstance(body, Cause):
                request.is_counted = True
                raise error_of(self._lanes.refuse(method, body, request.caller))
            request.arrived_s = time.monotonic()
            return {"type": "http.request", "body": body, "more_body": False}

        return received


def _most_bytes(method: Method) -> int:
    return method.max_bytes
