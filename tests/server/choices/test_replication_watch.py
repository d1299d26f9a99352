"""Choices that were acknowledged before they were safe: watched, applied again when lost, then let go."""

from collections.abc import Iterator, Sequence

import pytest

from server.choices.choice_store import ChoiceStore
from server.choices.replication_watch import ReplicationWatch
from server.metrics.metrics import Metrics
from server.store.ports import Committed, RecordChange, StoreError
from targeting.decision import Rulebook
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.records.preference import Choice, Preference, Source, decode_preference, encode_preference
from targeting.records.stored_records import StoredRecords
from tests.server.store.fake_store import PSEUDONYMS, FakeStore
from tests.waiting import eventually

PEOPLE = [Subject(SubjectKind.ACCOUNT, name) for name in ("alice", "bob", "carol")]
ALICE, BOB, _ = PEOPLE


class Replicated(FakeStore):
    """A primary with replicas that may lag; a failover loses what they do not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.replicas = 0
        self.waits = 0

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        self.waits += 1
        return super().commit_durably(change, replicas, budget_s)._replace(replicas=self.replicas)


def made(choice: Choice, at_ms: int, key: bytes = b"the key!") -> ChoiceMade:
    return ChoiceMade(
        choice=choice,
        source=Source.ACCOUNT_PAGE,
        change_key=key,
        made_at_ms=at_ms,
        country="GB",
        language="en",
        birth_day=7_000,
    )


def chosen(store: FakeStore, subject: Subject, choice: ChoiceMade) -> Preference:
    """Store a choice, as an acknowledgement would say."""
    preference = apply_choice(stored(store, subject), choice)
    store.put(subject, preference=encode_preference(preference, PSEUDONYMS.owner(subject)))
    return preference


def stored(store: FakeStore, subject: Subject) -> Preference:
    (held,) = store.read([subject], 1.0)
    return decode_preference(held.preference, held.owner) if held.preference else Preference()


def watch(store: FakeStore, **more: int) -> ReplicationWatch:
    return ReplicationWatch(ChoiceStore(store, lambda: Rulebook(DEFAULT_POLICY), replicas=1), Metrics(), **more)


def age(watching: ReplicationWatch) -> float:
    value = watching._metrics.registry.get_sample_value("adtargeting_unconfirmed_preference_age_seconds")
    assert value is not None
    return value


@pytest.fixture
def store() -> Replicated:
    return Replicated()


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


def test_a_choice_that_is_lost_during_the_wait_is_not_let_go(store: Replicated) -> None:
    class Losing(Replicated):
        def commit_durably(
            self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
        ) -> Committed:
            self.put(PEOPLE[0], preference=None)
            return super().commit_durably(change, replicas, budget_s)

    losing = Losing()
    losing.replicas = 1
    watching = watch(losing)
    for subject in PEOPLE:
        watching.track(subject, chosen(losing, subject, made(Choice.OPT_OUT, 1)))
    watching.check()
    assert [subject for subject, _ in watching._all()] == [PEOPLE[0]]


def test_where_nothing_can_be_confirmed_nothing_counts_as_waiting(store: Replicated) -> None:
    watching = watch(store)
    watching.can_confirm = lambda: False
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    watching.check()
    assert age(watching) == 0


class TestAfterAFailover:
    def test_what_was_lost_is_applied_again(self, store: Replicated) -> None:
        watching = watch(store)
        preference = chosen(store, ALICE, made(Choice.OPT_OUT, 1))
        watching.track(ALICE, preference)
        store.put(ALICE, preference=None)
        watching.check()
        assert stored(store, ALICE) == preference
        assert age(watching) > 0, "it is still not safe"

    def test_all_that_were_lost_are_applied_before_anyone_waits(self, store: Replicated) -> None:
        watching = watch(store)
        for subject in PEOPLE:
            watching.track(subject, chosen(store, subject, made(Choice.OPT_OUT, 1)))
            store.put(subject, preference=None)
        watching.check()
        assert [stored(store, subject).choice for subject in PEOPLE] == [Choice.OPT_OUT] * 3
        assert store.waits == 1

    def test_it_goes_on_top_of_what_the_replica_held(self, store: Replicated) -> None:
        watching = watch(store)
        chosen(store, ALICE, made(Choice.OPT_IN, 1, b"an older"))
        before = store.read([ALICE], 1.0)[0].preference
        watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 2)))
        store.put(ALICE, preference=before)
        watching.check()
        assert [change.choice for change in stored(store, ALICE).history] == [Choice.OPT_OUT, Choice.OPT_IN]

    def test_a_choice_made_since_stands(self, store: Replicated) -> None:
        watching = watch(store)
        watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
        store.put(ALICE, preference=None)
        chosen(store, ALICE, made(Choice.OPT_IN, 2, b"a newer!"))
        watching.check()
        assert stored(store, ALICE).choice is Choice.OPT_IN
        assert age(watching) == 0

    def test_no_opt_in_is_applied_again_upon_an_opt_out_whatever_the_clocks_say(self, store: Replicated) -> None:
        watching = watch(store)
        watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_IN, 9)))
        store.put(ALICE, preference=None)
        chosen(store, ALICE, made(Choice.OPT_OUT, 1, b"a slower"))
        watching.check()
        assert stored(store, ALICE).choice is Choice.OPT_OUT
        assert age(watching) == 0

    def test_what_it_was_made_from_is_older_whatever_the_clocks_say(self, store: Replicated) -> None:
        watching = watch(store)
        chosen(store, ALICE, made(Choice.OPT_IN, 9, b"an older"))
        before = store.read([ALICE], 1.0)[0].preference
        watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
        store.put(ALICE, preference=before)
        watching.check()
        assert stored(store, ALICE).choice is Choice.OPT_OUT

    def test_a_choice_made_after_a_loss_is_watched_though_its_version_is_lower(self, store: Replicated) -> None:
        watching = watch(store)
        for at_ms in range(1, 5):
            latest = chosen(store, ALICE, made(Choice.OPT_IN, at_ms, at_ms.to_bytes(8, "big")))
        watching.track(ALICE, latest)
        store.put(ALICE, preference=None)
        watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 9)))
        store.put(ALICE, preference=None)
        watching.check()
        assert stored(store, ALICE).choice is Choice.OPT_OUT
        assert age(watching) > 0

    def test_a_record_that_cannot_be_read_is_left_alone(self, store: Replicated) -> None:
        watching = watch(store)
        watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
        store.spoil(ALICE, "preference")
        watching.check()
        assert store.read([ALICE], 1.0)[0].preference == b"\0"
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
    assert age(watching) > 0
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


def test_a_fault_does_not_end_the_watch(store: Replicated, running: ReplicationWatch) -> None:
    class Faulty(Replicated):
        def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
            raise LookupError("a fault")

    working, running._choices = running._choices, running._choices._replace(store=Faulty())
    running.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    labels = {"operation": "unconfirmed", "kind": "internal"}
    eventually(lambda: running._metrics.registry.get_sample_value("adtargeting_store_errors_total", labels))
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
