"""Pseudonyms and the names of keys.

No id is ever stored, or part of a key, in clear: a subject's records are found by a keyed BLAKE2b of its id
(BLAKE2, section 2.8: keyed, with one personalisation for accounts and one for devices). Base64url of a fixed
length stands in the hash tag, so that no id can break it, and one subject's keys share a slot (Redis Cluster
specification, "Hash tags").
"""

import hashlib
from binascii import b2a_base64

from targeting.model import Subject, SubjectKind
from targeting.records.envelope import OWNER_SIZE

DEFAULT_PREFIX = "adt"
LEAST_SECRET_BYTES = 16
MOST_SECRET_BYTES = hashlib.blake2b.MAX_KEY_SIZE

_TAG_CHARACTERS = 22
"""16 bytes in base64 without its padding."""
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_ACCOUNT = SubjectKind.ACCOUNT


class Pseudonyms:
    """Turn subjects into pseudonyms and key names. Threads may share one.

    ``prefix`` begins every key: ``adt``, or another for a service that shares a database.
    """

    __slots__ = ("_account", "_account_stem", "_device", "_device_stem", "prefix")

    def __init__(self, secret: bytes, prefix: str = DEFAULT_PREFIX) -> None:
        if not LEAST_SECRET_BYTES <= len(secret) <= MOST_SECRET_BYTES:
            raise ValueError(f"the secret must have {LEAST_SECRET_BYTES} to {MOST_SECRET_BYTES} bytes")
        self.prefix = prefix.encode("ascii")
        self._account_stem, self._device_stem = self.prefix + b":{a:", self.prefix + b":{d:"
        # Copied for every subject, which is cheaper than keying a hash each time.
        self._account = hashlib.blake2b(digest_size=OWNER_SIZE, key=secret, person=b"adt/account")
        self._device = hashlib.blake2b(digest_size=OWNER_SIZE, key=secret, person=b"adt/device")

    def owner(self, subject: Subject) -> bytes:
        """Return the subject's pseudonym, 16 bytes."""
        kind, text = subject
        pseudonym = (self._account if kind is _ACCOUNT else self._device).copy()
        # A lone surrogate has no UTF-8 form; it must neither fail nor be taken for another character.
        pseudonym.update(text.encode("utf-8", "surrogatepass"))
        return pseudonym.digest()

    def locate(self, subject: Subject) -> tuple[bytes, bytes, bytes]:
        """Return the subject's pseudonym, the key of its preference and the key of its profile."""
        owner = self.owner(subject)
        tag = b2a_base64(owner)[:_TAG_CHARACTERS].translate(_URL_SAFE)
        stem = (self._account_stem if subject[0] is _ACCOUNT else self._device_stem) + tag
        return owner, stem + b"}:pref", stem + b"}:prof"

    def __repr__(self) -> str:
        """Show nothing of the secret."""
        return "Pseudonyms(***)"


def identity_key(prefix: bytes) -> bytes:
    """Return the key of the record by which the store says whose it is."""
    return prefix + b":{meta}:store"


def probe_key(prefix: bytes) -> bytes:
    """Return the key that the health check writes; it expires."""
    return prefix + b":{meta}:probe"


def seen_key(profile_key: bytes) -> bytes:
    """Return the key of the deduplication record that belongs to a profile's key."""
    return profile_key[: -len(b"prof")] + b"seen"
