"""Records encrypted at rest: AES-256-GCM between the store and everything else.

Sealed form: ``magic (2) | schema + 128 (1) | owner (8) | format (4) | clear (1) | nonce (12) | sealed | tag (16)``,
where checksum and body are sealed. The owner's whole pseudonym and everything before the nonce are authenticated, so a
record under another key or with one bit changed does not open. ``clear`` is the choice of a preference record, at the
offset where the write guard of ``server/store/redis/commit.lua`` reads it in either form; it is 0 for other records.

To a version that cannot open it, a sealed record is one of a newer schema: it limits, and only an opt-out replaces it.

Invariant: ``open(seal(record)) == record``; a value that is not sealed passes unchanged, so records of before are read.
Random nonces allow 2**32 records per key (NIST SP 800-38D section 8.3); 256 keys by owner allow 2**40.
"""

import os
from hashlib import blake2b
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.store.redis.commit import CHOICE_AT, UNREADABLE

PURPOSE: Final = b"records at rest"
"""The purpose for which the cipher's key is derived from the secret key."""

_SEALED: Final = 0x80
_FORMAT: Final = b"\0\0\0\x01"
_OWNER_END: Final = 11
_NONCE: Final = 12
_HEAD: Final = CHOICE_AT + 1
_BODY: Final = _HEAD + _NONCE
SEAL_BYTES: Final = _BODY + 16 - _OWNER_END
"""How much longer a sealed record is."""


class RecordCipher:
    """Seals and opens the records of one store. Threads may share it."""

    __slots__ = ("_ciphers",)

    def __init__(self, key: bytes) -> None:
        self._ciphers = [AESGCM(blake2b(bytes([number]), key=key, digest_size=32).digest()) for number in range(256)]

    def seal_preference(self, record: bytes, owner: bytes) -> bytes:
        """Return the sealed form of a preference record. Its choice stays in clear."""
        return self._seal(record, owner, record[CHOICE_AT:_HEAD])

    def seal(self, record: bytes, owner: bytes) -> bytes:
        """Return the sealed form of any other record."""
        return self._seal(record, owner, b"\0")

    def open(self, value: bytes | None, owner: bytes) -> bytes | None:
        """Return the record; a value that is not sealed unchanged; and one that does not open as unreadable."""
        if value is None or len(value) < _BODY or value[2] < _SEALED:
            return value
        head = value[:_HEAD]
        try:
            rest = self._ciphers[owner[0]].decrypt(value[_HEAD:_BODY], value[_BODY:], owner + head)
        except InvalidTag:
            return UNREADABLE
        return b"%b%c%b%b" % (head[:2], head[2] - _SEALED, head[3:_OWNER_END], rest)

    def _seal(self, record: bytes, owner: bytes, clear: bytes) -> bytes:
        if len(record) < _HEAD:
            # Too short to be a record: it holds nothing of a person, and a reader refuses it.
            return record
        head = record[:2] + bytes([record[2] | _SEALED]) + record[3:_OWNER_END] + _FORMAT + clear
        nonce = os.urandom(_NONCE)
        return head + nonce + self._ciphers[owner[0]].encrypt(nonce, record[_OWNER_END:], owner + head)

    def __repr__(self) -> str:
        """Return nothing of the key."""
        return "RecordCipher(***)"
