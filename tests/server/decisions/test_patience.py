"""Time: what is left of a call's budget is its own, and a slow store is waited for by those alone who can wait."""

import threading
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.gate.methods import DECIDE, DECIDE_BATCH
from server.gate.port import Call
from server.store.ports import StoreTimeout
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords
from tests.server.decisions.worker_bench import Bench, request, response
from tests.server.doubles import ScriptedStore
from tests.waiting import PATIENCE_S, eventually


class SlowStore(ScriptedStore):
    """Answers threads alone, when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()
        self.on_asked: Callable[[], None] = lambda: None

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> None:
        """Send nothing: only threads ask it."""
        self.on_asked()

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        if not self.may_answer.wait(min(budget_s, PATIENCE_S)):
            raise StoreTimeout
        return super().fetch(subjects, budget_s)


@pytest.mark.fault(row=9)
def test_an_impatient_caller_is_limited_in_time_and_hurries_no_other() -> None:
    bench = Bench(store := SlowStore(), budget_s=PATIENCE_S)
    hurried, patient = (bench.gate.put(DECIDE, request()) for _ in range(2))
    store.on_asked = lambda: end_patience_of(hurried)
    # The store answers only once the impatient caller has its answer.
    releasing = threading.Thread(target=release_after, args=(bench, hurried, store.may_answer))
    releasing.start()
    first, second = (response(answer) for answer in bench.serve(hurried, patient))
    releasing.join()
    assert list(first.reasons) == [pb.REASON_STORE_TIMEOUT]
    assert list(second.reasons) == [pb.REASON_NO_PROFILE]
    ((subjects, budget_s),) = store.asked
    assert len(subjects) == 2
    assert budget_s > PATIENCE_S / 2


def test_the_store_has_the_whole_budget_however_impatient_the_callers_are() -> None:
    """So an answer that comes too late for them counts as one, and not as a store that is down."""
    bench = Bench(store := SlowStore(), budget_s=PATIENCE_S)
    hurried = bench.gate.put(DECIDE, request())
    store.on_asked = lambda: end_patience_of(hurried)
    releasing = threading.Thread(target=release_after, args=(bench, hurried, store.may_answer))
    releasing.start()
    (answer,) = bench.serve(hurried)
    releasing.join()
    assert list(response(answer).reasons) == [pb.REASON_STORE_TIMEOUT]
    # The thread that asks goes on after the answer.
    eventually(lambda: store.asked)
    ((_, budget_s),) = store.asked
    assert budget_s > PATIENCE_S / 2


def end_patience_of(call: Call) -> None:
    """Let the deadline of a call come very soon: once the store is asked, however long that has taken."""
    call.deadline_s = time.monotonic() + 0.02


def release_after(bench: Bench, call: object, event: threading.Event) -> None:
    while call not in bench.gate.answers:
        time.sleep(0.001)
    event.set()


def test_a_store_that_never_answers_limits_everyone_at_the_end_of_the_budget() -> None:
    bench = Bench(SlowStore(), budget_s=0.05)
    answers = bench.serve(*[bench.gate.put(DECIDE, request()) for _ in range(3)])
    assert [list(response(answer).reasons) for answer in answers] == [[pb.REASON_STORE_TIMEOUT]] * 3


def test_while_a_batch_waits_for_the_store_single_calls_without_subjects_are_served() -> None:
    bench = Bench(store := SlowStore(), budget_s=PATIENCE_S)
    items = [pb.DecideRequest(account_id="alice", ip="192.0.2.1")] * 3
    waiting = bench.gate.put(DECIDE_BATCH, pb.DecideBatchRequest(requests=items).SerializeToString())
    unidentified = bench.gate.put(DECIDE, request(account_id=""))
    releasing = threading.Thread(target=release_after, args=(bench, unidentified, store.may_answer))
    releasing.start()
    bench.serve(waiting, unidentified)
    releasing.join()
    assert bench.gate.order == [unidentified, waiting]


def test_each_portion_of_a_batch_that_began_in_time_has_the_whole_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(store := SlowStore(), budget_s=PATIENCE_S)
    store.may_answer.set()
    passed_s = 0.0
    monkeypatch.setattr("server.decisions.worker.time", SimpleNamespace(monotonic=lambda: time.monotonic() + passed_s))

    def pass_time() -> None:
        nonlocal passed_s
        passed_s += 0.4 * PATIENCE_S

    store.on_asked = pass_time
    items = [pb.DecideRequest(account_id="alice", ip="192.0.2.1")] * 130
    payload = pb.DecideBatchRequest(requests=items).SerializeToString()
    (answer,) = bench.serve(bench.gate.put(DECIDE_BATCH, payload, waited_s=PATIENCE_S / 2))
    assert len(store.asked) == 3
    assert isinstance(answer, bytes)
    results = pb.DecideBatchResponse.FromString(answer).results
    assert {tuple(each.response.reasons) for each in results} == {(pb.REASON_NO_PROFILE,)}


def test_a_batch_that_begins_too_late_is_limited_whole() -> None:
    bench = Bench(budget_s=0.5)
    items = [pb.DecideRequest(account_id="alice", ip="192.0.2.1")] * 130
    payload = pb.DecideBatchRequest(requests=items).SerializeToString()
    (answer,) = bench.serve(bench.gate.put(DECIDE_BATCH, payload, waited_s=1.0))
    assert isinstance(answer, bytes)
    results = pb.DecideBatchResponse.FromString(answer).results
    assert {tuple(each.response.reasons) for each in results} == {(pb.REASON_STORE_TIMEOUT,)}
    assert bench.store.asked == []
