"""The pseudonym of a person in decision records: by a secret of the day, and written as one of eight groups only.

People share a group, so two lines cannot be joined as one person's; that all lines of a change have one group shows
that they may come from one person. Without the secret, which is never stored, a group does not say who is in it.
"""

import hashlib
from typing import Final

from targeting.features.batch import Behavioural

GROUPS: Final = 8
"""Far fewer than a crowd: with as many groups as people each line would name its person."""


def day_pseudonym(_: Behavioural, owner: bytes, secret: bytes) -> bytes:
    """Return the pseudonym of the owner of a record. The features show that a grant was given for the person."""
    return hashlib.blake2b(owner, digest_size=16, key=secret).digest()


def group_of(pseudonym: bytes) -> int:
    """Return the group of a person, 0 to 7."""
    return pseudonym[0] % GROUPS
