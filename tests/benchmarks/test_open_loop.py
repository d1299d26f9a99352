"""The open loop against the real service on either gate: every call is accounted for, and wrong answers are seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import people
from benchmarks.load.h2load import Target
from benchmarks.load.scene import Scene, behavioural
from benchmarks.open_loop.plan import run_open_loop

CALLS_A_SECOND, SECONDS = 100, 1


@pytest.fixture(scope="module", params=["http2", "grpcio"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    directory = tmp_path_factory.mktemp(request.param)
    patient = {"ADTARGETING_DECISION_BUDGET_MS": "5000", "ADTARGETING_GATE": request.param}
    with Scene(directory, 10, **patient) as scene:
        yield scene.target(behavioural("known", people.request(0)))


def test_every_call_is_answered_and_counted(target: Target, tmp_path: Path) -> None:
    outcome = run_open_loop(target, tmp_path, rate=CALLS_A_SECOND, seconds=SECONDS, connections=3)
    assert outcome.calls == outcome.answered == outcome.as_expected == CALLS_A_SECOND * SECONDS
    assert (outcome.refused, outcome.lost, outcome.limited_share) == (0, 0, 0)
    assert 0 < outcome.percentile_ms(50) <= outcome.percentile_ms(99)


def test_an_answer_of_another_size_is_not_as_expected(target: Target, tmp_path: Path) -> None:
    smaller = target._replace(least_bytes=target.least_bytes - 10, most_bytes=target.most_bytes - 10)
    outcome = run_open_loop(smaller, tmp_path, rate=CALLS_A_SECOND, seconds=SECONDS)
    assert (outcome.as_expected, outcome.answered, outcome.limited_share) == (0, outcome.calls, 1)


def test_a_refused_call_is_counted_as_refused(target: Target, tmp_path: Path) -> None:
    unknown = target._replace(path="/adtargeting.v1.TargetingService/Nothing")
    outcome = run_open_loop(unknown, tmp_path, rate=CALLS_A_SECOND, seconds=SECONDS)
    assert (outcome.answered, outcome.refused) == (0, outcome.calls)
