"""The stores that the contract suite runs against are those of ``tests/server/store``."""

from tests.server.store.conftest import own_redis, own_store, redis_store, store

__all__ = ["own_redis", "own_store", "redis_store", "store"]
