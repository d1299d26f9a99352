"""The watch over the store: health follows it, every change is one line, and no line holds a password."""

import logging

import pytest

from server.lifecycle.health import StoreState, StoreWatch
from server.store.ports import StoreError, StoreTimeout, StoreUnavailable, StoreUnreachable, StoreUntrusted
from tests.server.doubles import ListGate
from tests.waiting import eventually

SERVICES = ("writes", "reads")
NAME = "redis://cache:6379/0"


class HealthGate(ListGate):
    """Keeps what was reported."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: list[tuple[str, bool]] = []

    def set_health(self, service: str, *, serving: bool) -> None:
        self.reported.append((service, serving))


class ScriptedProbe:
    """Finds these problems, one a check, and the last one for ever."""

    def __init__(self, *problems: StoreError | None) -> None:
        self.problems = list(problems)
        self.checks = 0
        self.closed = False

    def check(self, timeout_s: float) -> None:
        self.checks += 1
        problem = self.problems.pop(0) if len(self.problems) > 1 else self.problems[0]
        if problem is not None:
            raise problem

    def close(self) -> None:
        self.closed = True


class Watched:
    """A watch, and what it has reported."""

    def __init__(self, *problems: StoreError | None) -> None:
        self.gate = HealthGate()
        self.probe = ScriptedProbe(*problems)
        self.watch = StoreWatch(self.gate, SERVICES, self.probe, NAME)
        self.states: list[StoreState] = []
        self.watch.on_state = self.states.append

    def check(self, times: int) -> list[bool]:
        for _ in range(times):
            self.watch.check()
        assert [name for name, _ in self.gate.reported] == [*SERVICES] * (len(self.gate.reported) // 2)
        return [serving for _, serving in self.gate.reported[::2]]


def test_a_store_that_can_be_written_to_is_reported_once_and_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    assert Watched(None).check(3) == [True]
    assert caplog.messages == []


def test_every_change_is_reported_and_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    full = StoreUnavailable("the store refuses: it is out of memory")
    assert Watched(None, full, full, None).check(5) == [True, False, True]
    assert caplog.messages == [
        f"store {NAME}: the store refuses: it is out of memory; preferences and profiles are NOT_SERVING",
        f"store {NAME}: choices can be stored again; preferences and profiles are SERVING",
    ]


def test_one_late_answer_is_no_news_and_two_are(caplog: pytest.LogCaptureFixture) -> None:
    late = StoreTimeout("the store did not answer in time")
    assert Watched(None, late, None, late, None).check(5) == [True]
    assert caplog.messages == []
    assert Watched(None, late, late).check(3) == [True, False]


def test_a_store_that_is_late_from_the_start_is_not_served() -> None:
    assert Watched(StoreTimeout("the store did not answer in time")).check(1) == [False]


def test_writes_that_the_store_refuses_count_though_the_probe_is_stored() -> None:
    watched = Watched(None)
    refused = ["", "the store refuses: its user lacks a permission", ""]
    watched.watch.refused = lambda: refused.pop(0)
    assert watched.check(3) == [True, False, True]


@pytest.mark.parametrize(
    ("problem", "state"),
    [
        pytest.param(None, StoreState(), id="well"),
        pytest.param(StoreTimeout("late"), StoreState(up=False, writable=False), id="late"),
        pytest.param(StoreUnreachable("gone"), StoreState(up=False, writable=False), id="gone"),
        pytest.param(StoreUnavailable("full"), StoreState(writable=False), id="full"),
        pytest.param(StoreUntrusted("another"), StoreState(writable=False, trusted=False), id="another"),
    ],
)
def test_each_check_tells_the_metrics(problem: StoreError | None, state: StoreState) -> None:
    watched = Watched(problem)
    watched.check(1)
    assert watched.states == [state]


def test_it_checks_by_itself_and_outlives_a_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(None)
    tended: list[int] = []

    def tend() -> None:
        tended.append(len(tended))
        raise RuntimeError("a secret")

    watched.watch.before_check = tend
    watched.watch.start()
    eventually(lambda: len(tended) > 1)
    watched.watch.close()
    assert watched.probe.closed
    assert {record.levelno for record in caplog.records} == {logging.ERROR}
    assert "a secret" not in caplog.text
