"""Whether a store contains records of the service at all, found without reading any.

A Redis may be shared, so only keys under the service's prefix count. Knows nothing of what records mean.
"""

import time
from contextlib import closing
from typing import Final

from server.store.keys import DEFAULT_PREFIX
from server.store.redis.handshake import open_connection
from server.store.redis.scan import scan_keys
from server.store.redis.topology import Address

_KEYS_PER_STEP: Final = 10_000


def has_records(address: Address, timeout_s: float, prefix: bytes = DEFAULT_PREFIX.encode()) -> bool:
    """Return whether any key under the service's prefix exists. Raises ``StoreError``.

    Scans the keys of the database until the first match, so it takes time only on a large database without a match.
    """
    deadline_s = time.monotonic() + timeout_s
    with closing(open_connection(address, timeout_s)) as connection:
        return any(scan_keys(connection, prefix + b":{*", _KEYS_PER_STEP, deadline_s))
