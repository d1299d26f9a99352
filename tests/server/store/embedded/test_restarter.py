"""The caretaker: starts a store again, at once at first, ever later when it does not last."""

import logging

import pytest

from server.store.embedded.binary import EmbeddedStoreError
from server.store.embedded.restarter import Restarter


class Store:
    """A store that lives, dies and refuses as told, on a clock of its own."""

    def __init__(self) -> None:
        self.alive = True
        self.refuses = False
        self.now_s = 100.0
        self.starts: list[float] = []
        self.caretaker = Restarter(self, lambda: self.now_s)

    def revive(self) -> None:
        self.starts.append(self.now_s - 100)
        if self.refuses:
            raise EmbeddedStoreError("no room on the disk")
        self.alive = True

    def pass_time(self, seconds: int) -> None:
        """A look every half a second."""
        for _ in range(seconds * 2):
            self.caretaker.look()
            self.now_s += 0.5

    def die(self) -> None:
        self.alive = False


def test_one_that_lives_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    store.pass_time(60)
    assert (store.starts, caplog.messages) == ([], [])


def test_one_that_has_ended_is_started_at_once_which_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    store.pass_time(5)
    store.die()
    store.pass_time(5)
    assert store.starts == [5.0]
    assert caplog.messages == ["the embedded store has ended; it is started again on its data"]


def test_one_that_cannot_be_started_is_tried_ever_later_up_to_a_bound(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    store.refuses = True
    store.die()
    store.pass_time(120)
    assert store.starts == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 61.5, 91.5]
    assert len(caplog.messages) == len(store.starts)
    assert caplog.messages[0] == (
        "the embedded store has ended and cannot be started again: no room on the disk; next attempt in 0.5 s"
    )
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_one_that_lived_long_is_started_at_once_again() -> None:
    store = Store()
    for _ in range(3):
        store.die()
        store.pass_time(1)
    store.pass_time(60)
    store.die()
    store.pass_time(1)
    assert store.starts[-1] == 63.0
