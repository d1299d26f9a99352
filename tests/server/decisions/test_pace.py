"""How much a turn decides follows from what decisions cost."""

import pytest

from server.decisions.pace import LEAST_WEIGHT, MOST_WEIGHT, Pace

TURN_S = 0.003


class Clock:
    """A clock that the test turns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        for clock in ("thread_time", "monotonic"):
            monkeypatch.setattr(f"server.decisions.pace.time.{clock}", lambda: self.now_s)

    def turn(self, of: Pace, weight: int, took_s: float) -> int:
        of.start(TURN_S)
        self.now_s += took_s
        assert of.end(weight) == pytest.approx(took_s)
        return of.weight()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_dear_decisions_make_turns_small_at_once_and_cheap_ones_make_them_grow_slowly(clock: Clock) -> None:
    own = Pace()
    assert clock.turn(own, weight=10, took_s=10 * 0.00029) == 10
    grown = [clock.turn(own, weight=10, took_s=10 * 0.00004) for _ in range(60)]
    assert grown == sorted(grown)
    assert grown[0] < 13
    assert grown[-1] == MOST_WEIGHT


@pytest.mark.parametrize(("cost_s", "weight"), [(1.0, LEAST_WEIGHT), (0.0000001, 60)], ids=["dear", "cheap"])
def test_a_turn_is_never_empty_and_never_huge(clock: Clock, cost_s: float, weight: int) -> None:
    assert clock.turn(Pace(), weight=1, took_s=cost_s) == pytest.approx(weight, abs=8)


def test_an_empty_turn_teaches_nothing(clock: Clock) -> None:
    own = Pace()
    own.start(TURN_S)
    before = own.weight()
    assert clock.turn(own, weight=0, took_s=5.0) == before


def test_reading_has_half_of_the_turn(clock: Clock) -> None:
    own = Pace()
    own.start(TURN_S)
    clock.now_s += 0.0014
    assert own.has_time()
    clock.now_s += 0.0002
    assert not own.has_time()
