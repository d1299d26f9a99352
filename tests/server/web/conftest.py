"""One service with pages for the tests of this folder; each test has people of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.store.embedded.server import EmbeddedRedis
from tests.server.web.site import Site, running_site


@pytest.fixture(scope="session")
def site(redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running service with pages."""
    directory: Path = tmp_path_factory.mktemp("pages")
    with running_site(directory, redis_url=redis_server.url) as running:
        yield running


@pytest.fixture
def account_id(request: pytest.FixtureRequest) -> str:
    """An account that no other test has."""
    return f"account of {request.node.name}"[:200]
