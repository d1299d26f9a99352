"""What every stored record has in common: magic, schema, owner, checksum.

``magic (2) | schema (1) | owner (8) | crc32 (4) | body``. The checksum covers the owner's whole pseudonym and the
body, so a record that ends up under another key, or loses a byte, is found out.
"""

from struct import Struct
from zlib import crc32

PREFIX = Struct("<2sB8sI")
OWNER_SIZE = 16


class RecordUnreadable(ValueError):
    """A stored value has the wrong type, schema, owner or checksum. It is never guessed at."""


def seal(magic: bytes, schema: int, owner: bytes, body: bytes) -> bytes:
    """Give the stored form of a body that belongs to the owner's 16-byte pseudonym."""
    return PREFIX.pack(magic, schema, owner[:8], crc32(body, crc32(owner))) + body


def unseal(value: bytes, magic: bytes, schema: int, owner: bytes) -> bytes:
    """Give back the body. Raises ``RecordUnreadable``."""
    if len(value) < PREFIX.size:
        raise RecordUnreadable("the record is truncated")
    found_magic, found_schema, found_owner, checksum = PREFIX.unpack_from(value)
    body = value[PREFIX.size :]
    if found_magic == magic and found_schema == schema and found_owner == owner[:8]:
        if crc32(body, crc32(owner)) == checksum:
            return body
        raise RecordUnreadable("the record's checksum is wrong")
    if found_magic != magic:
        raise RecordUnreadable("the record is of another kind")
    if found_schema != schema:
        raise RecordUnreadable("the record is of another schema")
    raise RecordUnreadable("the record belongs to another owner")
