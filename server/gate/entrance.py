"""Where calls come in: nothing of a call that is denied reaches a lane.

Used on the thread of the gate's event loop.
"""

from typing import Final, Protocol

from google.rpc import code_pb2

from server.gate import reflection
from server.gate.lanes import Lanes
from server.gate.methods import METHODS
from server.gate.port import Method, Refusal
from server.security.admission import Admission, Denial, Presented
from server.security.caller import Caller
from server.security.own_credential import OwnCredential

_METHODS: Final = {method.path: method for method in METHODS}
_NO_CREDENTIAL: Final = Refusal(code_pb2.UNAUTHENTICATED, "this port is for the service itself")


class Entrance(Protocol):
    """Lets callers in on one port."""

    @property
    def is_open(self) -> bool:
        """Whether everyone is let in, so that nothing that is presented needs to be read."""
        ...

    async def admit(self, method: Method, presented: Presented) -> Caller | Refusal:
        """Return who makes a call of the contract, or a refusal."""
        ...

    async def admit_to(self, path: str, presented: Presented) -> Caller | Refusal:
        """Return who makes a call of any RPC, or a refusal."""
        ...


class ClientEntrance:
    """The entrance of clients. Denied calls count as ended ones, too."""

    def __init__(self, admission: Admission, lanes: Lanes) -> None:
        self._admission = admission
        self._lanes = lanes

    @property
    def is_open(self) -> bool:
        """Whether there is no clients file."""
        return self._admission.is_open

    async def admit(self, method: Method, presented: Presented) -> Caller | Refusal:
        """Return who makes a call of the contract, or a refusal."""
        caller = self._admission.admit(method.path, method.role, presented)
        if isinstance(caller, Caller):
            return caller
        self._lanes.ended[method][caller.code] += 1
        return await self._refusal(caller)

    async def admit_to(self, path: str, presented: Presented) -> Caller | Refusal:
        """Return who makes a call of any RPC, or a refusal. Health is open to all, reflection to any client."""
        if path in _METHODS:
            return await self.admit(_METHODS[path], presented)
        if path not in reflection.REFLECT:
            # Health, and what does not exist.
            return Caller(connection=presented.connection)
        caller = self._admission.admit(path, None, presented)
        return caller if isinstance(caller, Caller) else await self._refusal(caller)

    async def _refusal(self, denial: Denial) -> Refusal:
        await self._admission.slow(denial)
        return Refusal(denial.code, denial.message)


class OwnEntrance:
    """The entrance of one part of the service itself, which shows its credential with every call."""

    is_open = False

    def __init__(self, part: OwnCredential) -> None:
        self._part = part

    async def admit(self, _: Method, presented: Presented) -> Caller | Refusal:
        """Return the part, or a refusal."""
        return self._caller(presented)

    async def admit_to(self, _: str, presented: Presented) -> Caller | Refusal:
        """Return the part, or a refusal."""
        return self._caller(presented)

    def _caller(self, presented: Presented) -> Caller | Refusal:
        shown = b"".join(presented.authorization).decode("latin-1")
        return self._part.caller if self._part.is_shown_by(shown) else _NO_CREDENTIAL
