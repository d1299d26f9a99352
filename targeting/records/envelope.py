"""What every stored record has in common: magic, schema, owner, checksum.

``magic (2) | schema (1) | owner (8) | crc32 (4) | body``. The checksum covers the owner's whole pseudonym and the
body, so a record under another key, or with a byte missing, is detected.
"""

from struct import Struct
from zlib import crc32

PREFIX = Struct("<2sB8sI")
OWNER_SIZE = 16

_PREFIX_SIZE = PREFIX.size
_NEWER = "the record is of a newer schema"


class RecordUnreadable(ValueError):
    """A stored value has the wrong type, schema, owner or checksum. It is never guessed at."""


class RecordNewer(RecordUnreadable):
    """A stored value has a schema of a newer version."""


def seal(magic: bytes, schema: int, owner: bytes, body: bytes) -> bytes:
    """Return the stored form of a body that belongs to the owner's 16-byte pseudonym."""
    return PREFIX.pack(magic, schema, owner[:8], crc32(body, crc32(owner))) + body


def unseal(value: bytes, magic: bytes, schema: int, owner: bytes) -> bytes:
    """Return the body. Raises ``RecordUnreadable``."""
    body = value[_PREFIX_SIZE:]
    # Only the first eight bytes of the owner are packed.
    if value.startswith(PREFIX.pack(magic, schema, owner, crc32(body, crc32(owner)))):
        return body
    problem = _diagnose(value, magic, schema, owner)
    raise RecordNewer(problem) if problem == _NEWER else RecordUnreadable(problem)


def _diagnose(value: bytes, magic: bytes, schema: int, owner: bytes) -> str:
    if len(value) < _PREFIX_SIZE:
        return "the record is truncated"
    found_magic, found_schema, found_owner, _ = PREFIX.unpack_from(value)
    if found_magic != magic:
        return "the record is of another kind"
    if found_schema != schema:
        return _NEWER if found_schema > schema and found_owner == owner[:8] else "the record is of another schema"
    if found_owner != owner[:8]:
        return "the record belongs to another owner"
    return "the record's checksum is wrong"
