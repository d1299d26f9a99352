"""Time: a call has what is left of its budget, and its hurry is its own."""

import time

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.gate.methods import DECIDE_BATCH
from tests.server.decisions.worker_bench import Bench, batch, reasons_of


def test_a_store_that_is_asked_for_several_batches_has_the_least_time_of_them() -> None:
    bench = Bench(budget_s=60.0)
    now = time.monotonic()
    deadlines_s = (now + 9, now + 3, now + 6)
    bench.serve(*[bench.gate.put(DECIDE_BATCH, batch("some", 2), deadline_s=each) for each in deadlines_s])
    ((subjects, budget_s),) = bench.store.asked
    assert len(subjects) == 6
    assert 2 < budget_s <= 3


def test_who_is_late_is_answered_first_and_who_is_hurried_is_decided_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.decisions.portions.HURRIED_S", 3.0)
    bench = Bench(budget_s=10.0)
    payload = batch("one", 1)
    patient, hurried, late = (bench.gate.put(DECIDE_BATCH, payload, waited_s=each) for each in (0.0, 8.0, 11.0))
    answers = bench.serve(patient, hurried, late)
    assert [call is each for call, each in zip(bench.gate.order, (late, hurried, patient), strict=True)] == [True] * 3
    assert [bool(reasons_of(answer) & {pb.REASON_STORE_TIMEOUT}) for answer in answers] == [False, False, True]
    (hurried_s, patient_s) = (budget_s for _, budget_s in bench.store.asked)
    assert 0 < hurried_s <= 2 < patient_s <= 10


def test_the_patient_get_no_time_that_has_passed_while_the_hurried_were_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("server.decisions.worker.time.monotonic", lambda: clock[0])
    bench = Bench(budget_s=0.025)
    # The store takes all that it is given.
    bench.store.on_fetch = lambda: clock.__setitem__(0, clock[0] + bench.store.asked[-1][1])
    hurried, patient, soon_late = (
        bench.gate.put(DECIDE_BATCH, batch("some", 1), waited_s=each) for each in (0.021, 0.010, 0.0195)
    )
    answers = bench.serve(hurried, patient, soon_late)
    # Four milliseconds for the hurried; then one is too late, and the other has eleven left of fifteen.
    assert [round(budget_s * 1000) for _, budget_s in bench.store.asked] == [4, 11]
    assert [reasons_of(each) for each in answers] == [
        {pb.REASON_NO_PROFILE},
        {pb.REASON_NO_PROFILE},
        {pb.REASON_STORE_TIMEOUT},
    ]
