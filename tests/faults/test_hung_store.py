"""A store that hangs: decisions are LIMITED without waiting for it, and it is used again once it answers."""

import time
from pathlib import Path

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.store.circuit import Circuit
from server.store.embedded.server import EmbeddedRedis
from server.store.redis.handshake import open_connection
from server.store.redis.url import parse_redis_url
from tests.faults.known_person import KnownPerson, known_person
from tests.faults.matrix.marks import Figure
from tests.server.running_service import wait_until
from tests.server.store.conftest import own_redis, stopped

__all__ = ["own_redis"]

pytestmark = pytest.mark.fault(row=1)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
BUDGET_MS = 100
CALLS = 12
PAUSE_MS = 700
TIMEOUT, UNAVAILABLE = pb.REASON_STORE_TIMEOUT, pb.REASON_STORE_UNAVAILABLE


def ask(alice: KnownPerson) -> tuple[int, float]:
    """Return why she is limited, and how long that took in ms."""
    began_s = time.perf_counter()
    answer = alice.decide()
    (reason,) = answer.reasons
    return reason, (time.perf_counter() - began_s) * 1e3


@PROTECTED
def test_a_stopped_store_is_soon_not_asked_any_more(
    tmp_path: Path, own_redis: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, figure: Figure, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(Circuit, "failed", lambda *_: None)
    with known_person(tmp_path, redis_url=own_redis.url, decision_budget_ms=BUDGET_MS) as alice:
        with stopped(own_redis):
            answers = [ask(alice) for _ in range(CALLS)]
        # Without the circuit every call waits for its whole budget.
        reasons = [reason for reason, _ in answers]
        assert (reasons.count(UNAVAILABLE) > 0) == protected
        assert set(reasons) == ({TIMEOUT, UNAVAILABLE} if protected else {TIMEOUT})
        answered_s = time.perf_counter()
        wait_until(alice.is_behavioural)
        back_s = time.perf_counter() - answered_s
    slowest_ms, last_ms = max(ms for _, ms in answers), answers[-1][1]
    figure(f"answers after {slowest_ms:.0f} ms at most, then {last_ms:.1f} ms; used again after {back_s:.1f} s")


@PROTECTED
def test_a_paused_store_limits_without_being_waited_for(
    tmp_path: Path, own_redis: EmbeddedRedis, empty_store_url: str, protected: bool
) -> None:
    """With the protection off, the budget is longer than the pause, which then keeps the caller waiting."""
    url = empty_store_url or own_redis.url
    budget_ms = BUDGET_MS if protected else 60_000
    with known_person(tmp_path, redis_url=url, decision_budget_ms=budget_ms) as alice:
        connection = open_connection(parse_redis_url(url), 5)
        connection.ask((b"CLIENT", b"PAUSE", b"%d" % PAUSE_MS, b"ALL"), time.monotonic() + 5)
        connection.close()
        answer = alice.decide()
        assert list(answer.reasons) == ([TIMEOUT] if protected else [])
        wait_until(alice.is_behavioural)
