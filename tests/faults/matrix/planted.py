"""Regressions of three rows, planted to see that the fault matrix shows them: a pytest plugin, for tests alone."""

from server.decisions import pace
from server.gate.http2 import application
from server.gate.room import Room

ROWS = (10, 13, 23)


def pytest_configure() -> None:
    """Take three protections away from every test of the run."""
    # Nothing is ever refused.
    Room.cause_against = lambda *_: None  # type: ignore[method-assign]  # the class's, for every room
    # A message that ends early is taken for a whole one.
    application.message_of = lambda body: body[5:]  # type: ignore[attr-defined]  # a name that the module imports
    # A batch is worked off in one piece.
    pace.MOST_WEIGHT = 1 << 20
