"""Who makes the request that connectrpc is serving, decided before it reads anything; a denial said in its protocol."""

from contextvars import ContextVar
from typing import Final

from connectrpc.errors import ConnectError
from connectrpc.interceptor import MetadataInterceptor
from connectrpc.request import RequestContext

from server.gate.connect.codecs import Body
from server.gate.connect.codes import CODES
from server.gate.port import Refusal
from server.security.caller import Caller

ADMITTED: Final[ContextVar[Caller | Refusal]] = ContextVar("admitted")
"""The caller of the current request, or why it is denied."""


def admitted_caller() -> Caller:
    """Return the caller of the current request. Raises ``ConnectError`` if it is denied."""
    admitted = ADMITTED.get()
    if isinstance(admitted, Refusal):
        raise ConnectError(CODES[admitted.code], admitted.message)
    return admitted


class RefuseDenied(MetadataInterceptor[None]):
    """Ends a denied request before its body is read."""

    async def on_start(self, _: RequestContext[Body, Body]) -> None:
        """Raise ``ConnectError`` if the request is denied."""
        admitted_caller()
