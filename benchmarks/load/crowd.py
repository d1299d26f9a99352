"""Many people in a store, quickly: records as the service would hold them, written by plain SETs in pipelines.

The contents of a thousand people repeat; each copy is bound to its owner and encrypted for it.
"""

import time
from functools import lru_cache

from benchmarks import people
from server.keys.secret_key import PSEUDONYMS, SecretKey
from server.store.keys import Pseudonyms
from server.store.record_cipher import PURPOSE as CIPHER
from server.store.record_cipher import RecordCipher
from server.store.redis.connection import Connection, pack
from targeting.records.preference import encode_preference
from targeting.records.profile import RawProfile, packed_profile, write_profile

_CHUNK, _DIFFERENT = 500, 1000
_BUDGET_S = 30.0
_KEEP_S = b"%d" % (400 * 86_400)


class NotWritten(Exception):
    """The store has refused a record."""


def write_people(connection: Connection, key: SecretKey, population: int) -> None:
    """Write the records of that number of people. Raises ``NotWritten``, ``StoreError``."""
    pseudonyms, cipher = Pseudonyms(key.derive(PSEUDONYMS)), RecordCipher(key.derive(CIPHER))
    for first in range(0, population, _CHUNK):
        numbers = range(first, min(first + _CHUNK, population))
        packed = b"".join([_writing(number, pseudonyms, cipher) for number in numbers])
        replies = connection.exchange(packed, 2 * len(numbers), time.monotonic() + _BUDGET_S)
        if set(replies) != {b"OK"}:
            raise NotWritten("the store has refused to store the people")


def _writing(number: int, pseudonyms: Pseudonyms, cipher: RecordCipher) -> bytes:
    owner, preference_key, profile_key = pseudonyms.locate(people.account(number))
    preference = encode_preference(people.preference(number % _DIFFERENT), owner)
    profile = write_profile(_profile(number % _DIFFERENT), owner)
    return pack((b"SET", preference_key, cipher.seal_preference(preference, owner))) + pack(
        (b"SET", profile_key, cipher.seal(profile, owner), b"EX", _KEEP_S)
    )


@lru_cache(maxsize=_DIFFERENT)
def _profile(number: int) -> RawProfile:
    return packed_profile(people.profile(number))
