"""One service with pages for the tests of a folder, each with people of its own; a ``conftest`` takes them over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import in_memory
from tests.server.web.site import Site, running_site


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A running service with pages."""
    with in_memory() as directory, running_site(Path(directory)) as running:
        yield running


@pytest.fixture
def account_id(request: pytest.FixtureRequest) -> str:
    """An account that no other test has."""
    return f"account of {request.node.name}"[:200]
