"""A service called directly, on a store that a test can look into."""

import pytest

from tests.server.calls.direct_service import Service
from tests.server.store.fake_store import FakeStore


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def calls(store: FakeStore) -> Service:
    return Service(store, store)
