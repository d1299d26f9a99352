"""Settling whose a store is, on a connection for this alone."""

from collections.abc import Callable
from contextlib import closing

from server.settings import Settings
from server.store.keys import identity_key
from server.store.ports import StoreUntrusted
from server.store.redis.identity_record import IdentityRecord
from server.store.redis.primary import Primary
from server.store.trust import StoreTrust


def new_trust(settings: Settings, fingerprint: str) -> StoreTrust:
    """Return the trust of a process that starts; an embedded store belongs to the key that lies beside it."""
    return StoreTrust(fingerprint, adopts=not (settings.redis_url or settings.secret_key_file))


def settle(trust: StoreTrust, primary: Primary, prefix: bytes, has_records: Callable[[], bool]) -> None:
    """Read the store's record, or make the one of a store without records. Raises ``StoreError``."""
    with closing(primary.open()) as connection:
        trust.settle(IdentityRecord(connection, identity_key(prefix), has_records))


def require_trust(trust: StoreTrust) -> None:
    """Raise ``StoreUntrusted`` unless the store is ours."""
    if not trust.trusted:
        raise StoreUntrusted(f"the store is not trusted: {trust.problem}")
