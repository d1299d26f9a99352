"""The restarter: restarts a store at once the first time, then with exponential backoff."""

import logging

import pytest

from server.store.embedded.binary import EmbeddedStoreError
from server.store.embedded.restarter import Restarter


class Store:
    """A store that ends and refuses to start on request, with its own clock."""

    def __init__(self) -> None:
        self.alive = True
        self.refuses = False
        self.now_s = 100.0
        self.starts: list[float] = []
        self.restarter = Restarter(self, lambda: self.now_s)

    def restart(self) -> None:
        self.starts.append(self.now_s - 100)
        if self.refuses:
            raise EmbeddedStoreError("no room on the disk")
        self.alive = True

    def pass_time(self, seconds: int) -> None:
        """Check every half a second."""
        for _ in range(seconds * 2):
            self.restarter.check()
            self.now_s += 0.5

    def die(self) -> None:
        self.alive = False


def test_a_running_store_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    store.pass_time(60)
    assert (store.starts, caplog.messages) == ([], [])


def test_a_store_that_ended_is_restarted_at_once_with_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    store.pass_time(5)
    store.die()
    store.pass_time(5)
    assert store.starts == [5.0]
    assert caplog.messages == ["embedded store ended; restarted on its data"]


def test_a_store_that_cannot_start_is_retried_with_a_bounded_backoff(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    store.refuses = True
    store.die()
    store.pass_time(120)
    assert store.starts == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 61.5, 91.5]
    assert len(caplog.messages) == len(store.starts)
    assert caplog.messages[0] == (
        "embedded store ended and cannot be restarted: no room on the disk; next attempt in 0.5 s"
    )
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_the_backoff_starts_again_after_a_long_run() -> None:
    store = Store()
    for _ in range(3):
        store.die()
        store.pass_time(1)
    store.pass_time(60)
    store.die()
    store.pass_time(1)
    assert store.starts[-1] == 63.0
