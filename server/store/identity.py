"""The record by which a store says whose it is: ``adt:{meta}:store``.

It is lost with the choices that a store loses (emptied, another database, an empty replica promoted), and differs in a
store that others have written. Knows nothing of connections.
"""

import secrets
from typing import NamedTuple, Self

_FORMAT = "adt1"
_EPOCH_BYTES = 16


class IdentityUnreadable(ValueError):
    """The record is not one that this version can read."""


class StoreIdentity(NamedTuple):
    """Who made a store's records, and since when it has kept them.

    The epoch is random and made once; an operator who accepts a store gives it another. The fingerprint is that of the
    secret key. ``made_at_ms`` is in milliseconds since 1970 by the server's own clock.
    """

    epoch: str
    fingerprint: str
    made_at_ms: int

    @classmethod
    def make(cls, fingerprint: str, now_ms: int) -> Self:
        """Return an identity with a new epoch."""
        return cls(secrets.token_hex(_EPOCH_BYTES), fingerprint, now_ms)

    def encode(self) -> bytes:
        """Return the stored form: one line of text, for operators who look at it."""
        return f"{_FORMAT} epoch={self.epoch} key={self.fingerprint} made={self.made_at_ms}".encode()

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """Read the stored form. Raises ``IdentityUnreadable``."""
        if not value.startswith(_FORMAT.encode() + b" "):
            raise IdentityUnreadable("the store's record cannot be read, or is of another format")
        try:
            fields = dict(field.split("=", 1) for field in value.decode("ascii").split(" ")[1:])
            return cls(fields["epoch"], fields["key"], int(fields["made"]))
        except (ValueError, KeyError):
            raise IdentityUnreadable("the store's record cannot be read") from None
