"""The ids and keys of canaries under one secret key. Knows no gate and no store."""

from server.keys.secret_key import PSEUDONYMS, SecretKey
from server.store.keys import Pseudonyms
from targeting.canaries.ids import PURPOSE, CanaryIds
from targeting.canaries.people import CANARIES


def ids_of(key: SecretKey) -> CanaryIds:
    """Return the ids of canaries under a secret key."""
    return CanaryIds.of(key.derive(PURPOSE))


def keys_of(key: SecretKey, prefix: str) -> frozenset[bytes]:
    """Return the keys in the store under which canaries' preference records and profiles are kept."""
    ids, pseudonyms = ids_of(key), Pseudonyms(key.derive(PSEUDONYMS), prefix)
    subjects = [subject for canary in CANARIES for subject, _ in canary.subjects(ids)]
    return frozenset(stored for subject in subjects for stored in pseudonyms.locate(subject)[1:])
