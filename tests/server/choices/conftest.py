"""The store of the tests of the replication watch."""

import pytest

from tests.server.choices.replicated_store import Replicated


@pytest.fixture
def store() -> Replicated:
    return Replicated()
