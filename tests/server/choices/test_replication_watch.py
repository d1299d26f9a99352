"""Choices that were acknowledged before they were safe: watched until enough replicas hold them."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from server.choices.choice_store import ChoiceStore
from server.choices.replication_watch import ReplicationWatch
from server.metrics.metrics import Metrics
from server.store.ports import Committed, RecordChange, StoreError
from targeting.decision import Rulebook
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY
from targeting.recording.choice import apply_choice
from targeting.records.preference import Choice, Preference
from targeting.records.stored_records import StoredRecords
from tests.server.choices.noted_event import NotedEvent
from tests.server.choices.replicated_store import (
    ALICE,
    BOB,
    PEOPLE,
    Replicated,
    age,
    chosen,
    errors,
    made,
    stored,
    watch,
)
from tests.server.store.fake_store import FakeStore
from tests.waiting import eventually


def test_a_choice_is_watched_until_enough_replicas_hold_it(store: Replicated) -> None:
    watching = watch(store)
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    watching.check()
    assert age(watching) > 0
    store.replicas = 1
    watching.check()
    assert age(watching) == 0
    store.replicas, store.waits = 0, 0
    watching.check()
    assert store.waits == 0


def test_watching_changes_nothing(store: Replicated) -> None:
    watching = watch(store)
    preference = chosen(store, ALICE, made(Choice.OPT_OUT, 1))
    watching.track(ALICE, preference)
    for _ in range(3):
        watching.check()
    assert stored(store, ALICE) == preference


def test_one_wait_confirms_all_that_is_stored(store: Replicated) -> None:
    watching = watch(store)
    for subject in PEOPLE:
        watching.track(subject, chosen(store, subject, made(Choice.OPT_OUT, 1)))
    watching.check()
    assert (store.waits, age(watching) > 0) == (1, True)
    store.replicas = 1
    watching.check()
    assert (store.waits, age(watching)) == (2, 0)


@pytest.mark.parametrize("later", [Choice.OPT_IN, Choice.OPT_OUT])
def test_choices_that_another_process_has_replaced_wait_no_longer_than_the_others(
    store: Replicated, later: Choice
) -> None:
    watching = watch(store)
    for subject in PEOPLE:
        watching.track(subject, chosen(store, subject, made(Choice.OPT_OUT, 1)))
    replaced = [chosen(store, subject, made(later, 2, b"key two!")) for subject in PEOPLE[:2]]
    store.replicas = 1
    watching.check()
    assert age(watching) == 0
    assert [stored(store, subject) for subject in PEOPLE[:2]] == replaced


@pytest.mark.parametrize("lost", PEOPLE, ids=["the oldest", "one between", "the youngest"])
def test_a_choice_that_is_lost_during_the_wait_is_not_let_go(lost: Subject) -> None:
    class Losing(Replicated):
        def commit_durably(
            self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
        ) -> Committed:
            if not self.waits:
                self.put(lost, preference=None)
            return super().commit_durably(change, replicas, budget_s)

    losing = Losing()
    losing.replicas = 1
    watching = watch(losing)
    for subject in PEOPLE:
        watching.track(subject, chosen(losing, subject, made(Choice.OPT_OUT, 1)))
    watching.check()
    assert stored(losing, lost).choice is Choice.OPT_OUT or [subject for subject, _ in watching._all()] == [lost]
    watching.check()
    assert stored(losing, lost).choice is Choice.OPT_OUT


def test_a_record_that_cannot_be_read_is_waited_for_no_longer_than_the_others(store: Replicated) -> None:
    watching = watch(store)
    for subject in PEOPLE:
        watching.track(subject, chosen(store, subject, made(Choice.OPT_OUT, 1)))
    store.spoil(PEOPLE[0], "preference")
    store.replicas = 1
    watching.check()
    assert not watching._all()


def test_where_nothing_can_be_confirmed_nothing_counts_as_waiting(store: Replicated) -> None:
    watching = watch(store)
    watching.can_confirm = lambda: False
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    watching.check()
    assert age(watching) == 0


def test_a_later_choice_of_the_same_person_takes_the_earlier_ones_place(store: Replicated) -> None:
    watching = watch(store)
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_IN, 2, b"a newer!")))
    store.put(ALICE, preference=None)
    watching.check()
    assert stored(store, ALICE).choice is Choice.OPT_IN


def test_an_earlier_choice_that_is_handed_over_late_does_not_take_the_later_ones_place(store: Replicated) -> None:
    watching = watch(store)
    earlier = chosen(store, ALICE, made(Choice.OPT_IN, 1, b"earlier."))
    later = chosen(store, ALICE, made(Choice.OPT_OUT, 2, b"a later!"))
    watching.track(ALICE, later)
    watching.track(ALICE, earlier)
    store.put(ALICE, preference=None)
    watching.check()
    assert stored(store, ALICE).choice is Choice.OPT_OUT


def test_one_that_came_during_the_look_is_not_let_go(store: Replicated) -> None:
    watching = watch(store)
    store.replicas = 1
    newer: list[Preference] = []

    class Interrupting(Replicated):
        def commit_durably(
            self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
        ) -> Committed:
            if not newer:
                newer.append(chosen(store, ALICE, made(Choice.OPT_IN, 5, b"a newer!")))
                watching.track(ALICE, newer[0])
            return store.commit_durably(change, replicas, budget_s)

        def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
            return store.read(subjects, budget_s)

    watching._choices = watching._choices._replace(store=Interrupting())
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    watching.check()
    assert age(watching) > 0


def test_a_store_that_is_down_changes_nothing(store: Replicated) -> None:
    watching = watch(store)
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    store.down = True
    watching.check()
    assert (age(watching) > 0, errors(watching, "unavailable")) == (True, 1)
    store.down, store.replicas = False, 1
    watching.check()
    assert age(watching) == 0


def test_of_too_many_the_oldest_are_let_go(store: Replicated) -> None:
    watching = watch(store, capacity=2)
    for subject in PEOPLE:
        watching.track(subject, chosen(store, subject, made(Choice.OPT_OUT, 1)))
        store.put(subject, preference=None)
    watching.check()
    assert [stored(store, subject).choice for subject in PEOPLE] == [Choice.NONE, Choice.OPT_OUT, Choice.OPT_OUT]
    assert errors(watching, "full") == 1


def test_ten_thousand_are_watched(store: Replicated) -> None:
    watching, preference = watch(store), chosen(store, ALICE, made(Choice.OPT_OUT, 1))
    for number in range(10_001):
        watching.track(Subject(SubjectKind.ACCOUNT, f"account {number}"), preference)
    assert (len(watching._all()), errors(watching, "full")) == (10_000, 1)


def test_the_age_is_that_of_the_first_choice_that_is_not_safe(
    store: Replicated, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = watch(store)
    for now_s, choice in ((100.0, Choice.OPT_OUT), (150.0, Choice.OPT_IN)):
        monkeypatch.setattr(time, "monotonic", lambda now_s=now_s: now_s)
        watching.track(ALICE, chosen(store, ALICE, made(choice, int(now_s), choice.name.encode().ljust(8))))
    watching.track(BOB, chosen(store, BOB, made(Choice.OPT_OUT, 1)))
    monkeypatch.setattr(time, "monotonic", lambda: 160.0)
    watching.check()
    assert age(watching) == 60


def test_it_looks_once_a_second_and_ends_when_it_is_closed(store: Replicated) -> None:
    watching = watch(store)
    watching._stopping = stopping = NotedEvent()
    before = set(threading.enumerate())
    watching.start()
    eventually(lambda: stopping.waited_s is not None)
    assert stopping.waited_s == 1.0
    # Services of other tests may run in this process.
    (own,) = (each for each in set(threading.enumerate()) - before if each.name == "replication-watch")
    assert own.daemon, "a service that fails to close it must still end"
    watching.close()
    assert not own.is_alive()


@pytest.fixture
def running(store: Replicated) -> Iterator[ReplicationWatch]:
    watching = ReplicationWatch(
        ChoiceStore(store, lambda: Rulebook(DEFAULT_POLICY), replicas=1), Metrics(), every_s=0.005
    )
    watching.start()
    yield watching
    watching.close()


def test_it_watches_by_itself(store: Replicated, running: ReplicationWatch) -> None:
    preference = chosen(store, BOB, made(Choice.OPT_OUT, 1))
    store.put(BOB, preference=None)
    running.track(BOB, preference)
    eventually(lambda: stored(store, BOB) == preference)


def test_a_fault_does_not_end_the_watch(
    store: Replicated, running: ReplicationWatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(Replicated):
        def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
            raise LookupError("a fault")

    working, running._choices = running._choices, running._choices._replace(store=Faulty())
    running.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    eventually(lambda: errors(running, "internal"))
    assert "LookupError" in caplog.text
    running._choices = working
    store.replicas = 1
    eventually(lambda: not running._tracked)


def test_a_choice_store_says_when_it_could_not() -> None:
    class Unresting(FakeStore):
        def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
            return [Committed(landed=False) for _ in changes]

    choices = ChoiceStore(Unresting(), lambda: Rulebook(DEFAULT_POLICY))
    with pytest.raises(StoreError):
        choices.update(ALICE, lambda held, _: apply_choice(held, made(Choice.OPT_OUT, 1)), waits=False)
