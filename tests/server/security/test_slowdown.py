"""Failures of one address are slowed: ten at once, then ten a second, and never longer than two seconds."""

import asyncio

import pytest

from server.security import slowdown
from server.security.slowdown import BURST, INTERVAL_S, LONGEST_S, MAX_ADDRESSES, MAX_WAITING, Slowdown


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def failing(slow: Slowdown, times: int, address: str = "10.0.0.7") -> list[float]:
    return [round(slow.count(address), 6) for _ in range(times)]


def test_the_first_failures_are_answered_at_once_and_the_next_wait_their_turn() -> None:
    pauses = failing(Slowdown(Clock()), BURST + 3)
    assert pauses == [0.0] * BURST + [pytest.approx(INTERVAL_S * number) for number in (1, 2, 3)]


def test_no_answer_waits_longer_than_the_longest() -> None:
    assert failing(Slowdown(Clock()), 1000)[-1] == LONGEST_S


def test_an_address_recovers() -> None:
    clock = Clock()
    slow = Slowdown(clock)
    failing(slow, 1000)
    clock.now_s += BURST * INTERVAL_S + LONGEST_S
    assert failing(slow, 1) == [0.0]


@pytest.mark.parametrize(
    ("other", "shares"),
    [("10.0.0.8", False), ("2001:db8::1", False), ("", False), ("10.0.0.7", True)],
)
def test_addresses_do_not_slow_each_other(other: str, shares: bool) -> None:
    slow = Slowdown(Clock())
    failing(slow, BURST)
    assert (failing(slow, 1, other)[0] > 0) == shares


@pytest.mark.parametrize(("other", "shares"), [("2001:db8::ffff:1", True), ("2001:db8:0:1::1", False)])
def test_addresses_of_one_ipv6_network_count_as_one(other: str, shares: bool) -> None:
    slow = Slowdown(Clock())
    failing(slow, BURST, "2001:db8::1")
    assert (failing(slow, 1, other)[0] > 0) == shares


def test_addresses_are_not_remembered_without_bound() -> None:
    slow = Slowdown(Clock())
    failing(slow, BURST)
    for number in range(MAX_ADDRESSES):
        slow.count(f"192.0.2.{number}")
    assert failing(slow, 1) == [0.0], "the oldest is forgotten"


def test_only_so_many_answers_wait_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> tuple[int, int]:
        monkeypatch.setattr(slowdown, "BURST", 0)
        slow = Slowdown(Clock())
        waiting = [asyncio.ensure_future(slow.wait("10.0.0.7")) for _ in range(MAX_WAITING + 5)]
        await asyncio.sleep(0.01)
        at_once = sum(each.done() for each in waiting)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        again = asyncio.ensure_future(slow.wait("10.0.0.7"))
        await asyncio.sleep(0.01)
        waits = not again.done()
        again.cancel()
        return at_once, waits

    assert asyncio.run(run()) == (5, True)
