"""The request that connectrpc is serving, its caller decided before anything is read, and how it ended.

A denial is said in the protocol of the request, and nothing of an exception reaches the caller.
"""

import logging
import math
from contextvars import ContextVar
from typing import Final

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from connectrpc.interceptor import MetadataInterceptor
from connectrpc.request import RequestContext
from google.rpc import code_pb2

from server.gate.connect.codecs import Body
from server.gate.connect.codes import NUMBERS, error_of
from server.gate.port import CANCELLED, Refusal
from server.security.caller import ANONYMOUS, Caller

_LOG = logging.getLogger(__name__)


class AdmittedRequest:
    """One request on its way through connectrpc. Times are of ``time.monotonic``, in seconds."""

    def __init__(self, admitted: Caller | Refusal) -> None:
        self.refusal = admitted if isinstance(admitted, Refusal) else None
        """Why it is refused before its body is read."""
        self.caller = ANONYMOUS if isinstance(admitted, Refusal) else admitted
        self.arrived_s = math.inf
        """When the last byte of its body was in; infinity before."""
        self.is_counted = self.refusal is not None
        """Whether its end has been counted, or will be by a lane."""
        self.code: int = code_pb2.INVALID_ARGUMENT
        """The code of its end; connectrpc has none for a request that it cannot take for a call at all."""

    @property
    def has_arrived(self) -> bool:
        """Whether its body was in."""
        return self.arrived_s < math.inf

    @property
    def is_to_be_counted(self) -> bool:
        """Whether it has ended without being counted; one whose caller went before it was whole was never a call."""
        return not self.is_counted and (self.has_arrived or self.code != CANCELLED)


ADMITTED: Final[ContextVar[AdmittedRequest]] = ContextVar("admitted")


class Ends(MetadataInterceptor[None]):
    """Ends a refused request before its body is read, and looks at how others end."""

    async def on_start(self, _: RequestContext[Body, Body]) -> None:
        """Raise ``ConnectError`` if the request is refused."""
        refusal = ADMITTED.get().refusal
        if refusal is not None:
            raise error_of(refusal)

    async def on_end(self, _: None, _context: RequestContext[Body, Body], error: Exception | None, /) -> None:
        """Keep the code of an error. Raises ``ConnectError`` in the place of any other error, which is ours."""
        request = ADMITTED.get()
        if isinstance(error, ConnectError):
            request.code = NUMBERS[error.code]
        elif error is not None:
            request.code = code_pb2.INTERNAL
            _LOG.error("a request ended with %s", type(error).__name__)
            raise ConnectError(Code.INTERNAL, "internal error")
