"""The decision at the door: who calls, and whether that client may.

Deny by default: with a clients file a call needs a client that has the role. Without one, everything is allowed, and
the listeners are on the loopback (``server.security.exposure``). A denial names the role, and nothing that was shown.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from google.rpc import code_pb2

from server.security.caller import Caller
from server.security.certificates import facts_of
from server.security.clients import Client, Clients
from server.security.current_clients import CurrentClients
from server.security.roles import Role
from server.security.slowdown import Slowdown

ANY_ROLE: Final = "any"
"""The label of calls that every client may make."""
ROLE_LABELS: Final = (*(role.value for role in Role), ANY_ROLE)


class Presented(NamedTuple):
    """The credentials that a caller presents."""

    connection: str = ""
    """The address of its connection, ``host:port``; empty over a Unix socket."""
    authorization: Sequence[bytes] = ()
    """The values of its ``authorization`` headers."""
    certificate: bytes = b""
    """Its certificate in PEM, which the TLS library has verified; empty without one."""

    def __repr__(self) -> str:
        """Show no credential."""
        return f"Presented(connection={self.connection!r})"


class Denial(NamedTuple):
    """A call that is not let in, as a gRPC status code and its message."""

    code: int
    message: str
    rpc: str
    """The RPC (``/package.Service/Method``) or the path of the page."""
    role: str
    """The role that it needs, as a label."""
    caller: Caller
    """Who called; anonymous where the credential is missing or wrong."""


def _ignore(_: Denial) -> None:
    """Do nothing."""


class Admission:
    """Judges every call at every door. Any thread may use it."""

    def __init__(
        self,
        current: CurrentClients | None = None,
        clock_s: Callable[[], float] = time.time,
        slowdown: Slowdown | None = None,
    ) -> None:
        """Without ``current`` everything is allowed."""
        self._current = current
        self._clock_s = clock_s
        self._slowdown = slowdown or Slowdown()
        self._denied: Counter[str] = Counter(dict.fromkeys(ROLE_LABELS, 0))
        self._lock = threading.Lock()
        self.on_denied: Callable[[Denial], None] = _ignore
        """Called with every denial, on the thread that made the call."""

    @property
    def is_open(self) -> bool:
        """Whether everything is allowed: there is no clients file."""
        return self._current is None

    def admit(self, rpc: str, role: Role | None, presented: Presented) -> Caller | Denial:
        """Return who calls, or why it may not. ``role`` is what the call needs; None: any client may."""
        if self._current is None:
            return Caller(connection=presented.connection)
        client = self._client(self._current.clients, presented)
        if client is None:
            return self._denial(code_pb2.UNAUTHENTICATED, rpc, role, Caller(connection=presented.connection))
        caller = Caller(client.name, presented.connection)
        if role is not None and role not in client.roles:
            return self._denial(code_pb2.PERMISSION_DENIED, rpc, role, caller)
        return caller

    def certified(self, presented: Presented) -> str:
        """Return the name of the client that a certificate proves; empty without one. A token is not looked at."""
        if self._current is None:
            return ""
        client = self._client(self._current.clients, presented._replace(authorization=()))
        return client.name if client is not None else ""

    async def slow(self, denial: Denial) -> None:
        """Wait before a denial is answered, if its address has failed to prove who it is too often."""
        if denial.code == code_pb2.UNAUTHENTICATED:
            await self._slowdown.wait(denial.caller.connection.rpartition(":")[0])

    def denied(self) -> Mapping[str, int]:
        """Count the denials by role."""
        with self._lock:
            return self._denied.copy()

    def _client(self, clients: Clients, presented: Presented) -> Client | None:
        """Return the client that the token proves or, without any authorization header, the certificate."""
        if presented.authorization:
            return clients.with_authorization(presented.authorization)
        if not presented.certificate:
            return None
        facts = facts_of(presented.certificate)
        # A connection may outlive the certificate that it was opened with.
        return clients.with_certificate(facts.names) if self._clock_s() < facts.expires_s else None

    def _denial(self, code: int, rpc: str, role: Role | None, caller: Caller) -> Denial:
        label = ANY_ROLE if role is None else role.value
        denial = Denial(code, _message(code, role), rpc, label, caller)
        with self._lock:
            self._denied[label] += 1
        self.on_denied(denial)
        return denial


def _message(code: int, role: Role | None) -> str:
    needed = "a client" if role is None else f"a client with the role {role.value}"
    if code == code_pb2.UNAUTHENTICATED:
        return f"this call needs {needed}: send a bearer token or a certificate that is listed"
    return f"this call needs {needed}; this client does not have it"
