"""How a part of the service proves to the service's own gate what it is: by a token that only this process knows."""

import hmac
import secrets
from typing import NamedTuple

from server.security.caller import Caller, own_caller

_TOKEN_BYTES = 32


class OwnCredential(NamedTuple):
    """A part of the service, and the token that it shows."""

    caller: Caller
    token: str

    @classmethod
    def make(cls, part: str) -> "OwnCredential":
        """Return a new credential for a part."""
        return cls(own_caller(part), secrets.token_urlsafe(_TOKEN_BYTES))

    @property
    def header(self) -> tuple[str, str]:
        """The metadata of a call that shows it."""
        return "authorization", f"Bearer {self.token}"

    def is_shown_by(self, authorization: str) -> bool:
        """Whether this is the value of the header; takes as long for every value of its length."""
        return hmac.compare_digest(authorization.encode(), self.header[1].encode())

    def __repr__(self) -> str:
        """Show nothing of the token."""
        return f"OwnCredential({self.caller.name})"
