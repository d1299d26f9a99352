"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable

PATIENCE_S = 30.0


def eventually(check: Callable[[], object]) -> None:
    """Wait until the check gives something true."""
    until_s = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < until_s, "it never came to it"
        time.sleep(0.005)
