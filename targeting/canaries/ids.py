"""The ids of canaries, derived from the secret key, so that only the service can name them.

All of them begin with the same 80 bits, and no other id does (by chance one in 2**80): one comparison finds them, also
those of canaries that another version of the service has. They are 32 hexadecimal digits, the form of a ``MUID``, so
they name an account or a device, in a field or in a cookie. No other text has them as its NFC form.
"""

import hashlib
from typing import Final, NamedTuple

PURPOSE: Final = b"leak canaries"
"""The purpose for which the key of the ids is derived from the secret key."""

_PREFIX_BYTES: Final = 10
_OWN_BYTES: Final = 6


class CanaryIds(NamedTuple):
    """The ids under one key; without a key there are none."""

    key: bytes = b""
    prefix: str = ""

    @classmethod
    def of(cls, key: bytes) -> "CanaryIds":
        """Return the ids under a key (32 bytes)."""
        return cls(key, _hex(key, b"ids", _PREFIX_BYTES))

    def id_of(self, name: str) -> str:
        """Return the id of the subject that a canary has by this name, such as ``child/account``."""
        return self.prefix + _hex(self.key, name.encode(), _OWN_BYTES)

    def mark_of(self, canary: str) -> str:
        """Return a text that stands in the profile of a canary and nowhere else."""
        return f"canary-{_hex(self.key, b'mark ' + canary.encode(), _OWN_BYTES)}"

    def include(self, text: str) -> bool:
        """Whether an id is a canary's."""
        return bool(self.prefix) and text.startswith(self.prefix)

    def occur_in(self, text: bytes) -> bool:
        """Whether a canary's id stands anywhere in a text."""
        return bool(self.prefix) and self.prefix.encode() in text

    def __repr__(self) -> str:
        """Show nothing of the ids."""
        return "CanaryIds(***)"


NO_CANARY_IDS: Final = CanaryIds()


def _hex(key: bytes, text: bytes, size: int) -> str:
    return hashlib.blake2b(text, key=key, digest_size=size).hexdigest()
