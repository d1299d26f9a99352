"""Storing a choice: within which time, for how long, and when it counts as confirmed."""

from collections.abc import Sequence

import pytest

from server.choices.choice_store import ChoiceStore, Confirmation
from server.store.ports import Committed, RecordChange
from targeting.decision import Rulebook
from targeting.model import Subject
from targeting.policy.policy import DEFAULT_POLICY
from targeting.recording.choice import apply_choice
from targeting.records.preference import Choice, Preference
from tests.server.choices.replicated_store import ALICE, made
from tests.server.store.fake_store import FakeStore

NOW_S = 1_780_000_000
LANDED = Committed(landed=True)
ON_DISK = LANDED._replace(on_disk=True)


class Noting(FakeStore):
    """Notes each change and the time that it is given; answers as it is told."""

    def __init__(self, committed: Committed = LANDED) -> None:
        super().__init__()
        self.committed = committed
        self.changes: list[RecordChange] = []
        self.times: list[tuple[int, float, float | None]] = []

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        self.changes += changes
        return [self.committed for _ in changes]

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        self.times.append((replicas, round(budget_s, 1), confirm_s))
        return self.commit([change], budget_s)[0]


def choices(store: FakeStore, replicas: int = 0, *, needs_disk: bool = False) -> ChoiceStore:
    return ChoiceStore(store, lambda: Rulebook(DEFAULT_POLICY), replicas, needs_disk, now=lambda: NOW_S + 0.9)


def opted_out(current: Preference, _: object) -> Preference:
    return apply_choice(current, made(Choice.OPT_OUT, 1))


def test_a_choice_has_half_a_second_to_be_stored_and_two_and_a_half_to_be_confirmed() -> None:
    store = Noting()
    ChoiceStore(store, lambda: Rulebook(DEFAULT_POLICY), replicas=2).update(ALICE, opted_out)
    assert store.times == [(2, 0.5, 2.5)]


LIVES = {
    "for good": (0, 0),
    "until its end": (NOW_S + 400, 400),
    "for a second, where its end is now": (NOW_S, 1),
    "for a second, where its end has passed": (NOW_S - 400, 1),
}


@pytest.mark.parametrize(("expires_s", "ttl_s"), LIVES.values(), ids=LIVES)
def test_a_choice_is_kept(expires_s: int, ttl_s: int) -> None:
    store = Noting()
    choices(store).update(ALICE, lambda current, held: opted_out(current, held)._replace(expires_s=expires_s))
    assert [change.preference_ttl_s for change in store.changes] == [ttl_s]


DISK, REPLICAS = Confirmation.DISK, Confirmation.REPLICAS
MISSING: dict[str, tuple[int, bool, Committed, tuple[Confirmation, ...]]] = {
    "nothing, on the disk of a server without replicas": (0, False, ON_DISK, ()),
    "nothing, where no replica is required, though one could be promoted": (
        0,
        False,
        ON_DISK._replace(promotable=1),
        (),
    ),
    "the disk, where nothing else is required": (0, False, LANDED._replace(replicas=1), (DISK,)),
    "a replica that a failover could promote": (1, False, ON_DISK._replace(replicas=1, promotable=2), (REPLICAS,)),
    "a replica that is required": (2, False, ON_DISK._replace(replicas=1, promotable=1), (REPLICAS,)),
    "nothing, on every replica": (1, False, LANDED._replace(replicas=2, promotable=2), ()),
    "the disk, which is required too": (1, True, LANDED._replace(replicas=1), (DISK,)),
    "both": (1, True, LANDED, (DISK, REPLICAS)),
}


@pytest.mark.parametrize(("replicas", "needs_disk", "committed", "missing"), MISSING.values(), ids=MISSING)
@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "not waiting"])
def test_what_is_missing_until_it_is_confirmed(
    replicas: int, needs_disk: bool, committed: Committed, missing: tuple[Confirmation, ...], waits: bool
) -> None:
    store = choices(Noting(committed), replicas, needs_disk=needs_disk)
    receipt = store.update(ALICE, opted_out, waits=waits)
    assert (receipt.missing, receipt.confirmed, receipt.replicas) == (missing, not missing, committed.replicas)


def test_by_default_the_disk_confirms_and_no_replica_is_required() -> None:
    for committed, missing in ((LANDED, (DISK,)), (ON_DISK, ())):
        store = ChoiceStore(Noting(committed), lambda: Rulebook(DEFAULT_POLICY))
        assert store.update(ALICE, opted_out).missing == missing


def test_it_is_stored_for_the_subject_alone_and_only_upon_what_it_was_derived_from() -> None:
    store = Noting()
    before = store.read([ALICE], 1.0)[0]
    choices(store).update(ALICE, opted_out)
    subjects: list[Subject] = [change.subject for change in store.changes]
    assert (subjects, [change.expected for change in store.changes]) == ([ALICE], [before])
