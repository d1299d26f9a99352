"""The stores that the contract suite runs against are those of ``tests/server/store``."""

from tests.server.store.conftest import cluster, own_redis, own_store, redis_store, sentinels, store

__all__ = ["cluster", "own_redis", "own_store", "redis_store", "sentinels", "store"]
