"""Settling whose a store is, on a connection for this alone."""

from server.settings import Settings
from server.store.epoch_memory import EpochMemory
from server.store.ports import StoreUntrusted
from server.store.redis.backend import Backend
from server.store.trust import StoreTrust


def new_trust(settings: Settings, fingerprint: str) -> StoreTrust:
    """Return the trust of a process that starts; an embedded store belongs to the key that lies beside it."""
    memory = EpochMemory(settings.secret_key_path)
    return StoreTrust(fingerprint, memory, adopts=not (settings.redis_url or settings.secret_key_file))


def settle(trust: StoreTrust, backend: Backend) -> None:
    """Read the store's record, or make the one of a store without records. Raises ``StoreError``."""
    with backend.identity() as record:
        trust.settle(record)


def require_trust(trust: StoreTrust) -> None:
    """Raise ``StoreUntrusted`` unless the store is ours."""
    if not trust.trusted:
        raise StoreUntrusted(f"the store is not trusted: {trust.problem}")
