"""After a failover: choices that were lost are applied again, and newer ones stand."""

import pytest

from server.choices.choice_store import CONFIRM_BUDGET_S
from targeting.records.preference import Choice
from tests.server.choices.replicated_store import ALICE, PEOPLE, Replicated, age, chosen, made, stored, watch


def test_what_was_lost_is_applied_again(store: Replicated) -> None:
    watching = watch(store)
    preference = chosen(store, ALICE, made(Choice.OPT_OUT, 1))
    watching.track(ALICE, preference)
    store.put(ALICE, preference=None)
    watching.check()
    assert stored(store, ALICE) == preference
    assert age(watching) > 0, "it is still not safe"


def test_all_that_were_lost_are_applied_before_anyone_waits(store: Replicated) -> None:
    watching = watch(store)
    for subject in PEOPLE:
        watching.track(subject, chosen(store, subject, made(Choice.OPT_OUT, 1)))
        store.put(subject, preference=None)
    watching.check()
    assert [stored(store, subject).choice for subject in PEOPLE] == [Choice.OPT_OUT] * 3
    assert store.waits == 1


def test_it_goes_on_top_of_what_the_replica_held(store: Replicated) -> None:
    watching = watch(store)
    chosen(store, ALICE, made(Choice.OPT_IN, 1, b"an older"))
    before = store.read([ALICE], 1.0)[0].preference
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 2)))
    store.put(ALICE, preference=before)
    watching.check()
    assert [change.choice for change in stored(store, ALICE).history] == [Choice.OPT_OUT, Choice.OPT_IN]


def test_a_choice_made_since_stands(store: Replicated) -> None:
    watching = watch(store)
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    store.put(ALICE, preference=None)
    chosen(store, ALICE, made(Choice.OPT_IN, 2, b"a newer!"))
    watching.check()
    assert stored(store, ALICE).choice is Choice.OPT_IN
    assert age(watching) == 0


@pytest.mark.fault(row=18)
def test_no_opt_in_is_applied_again_upon_an_opt_out_whatever_the_clocks_say(store: Replicated) -> None:
    watching = watch(store)
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_IN, 9)))
    store.put(ALICE, preference=None)
    chosen(store, ALICE, made(Choice.OPT_OUT, 1, b"a slower"))
    watching.check()
    assert stored(store, ALICE).choice is Choice.OPT_OUT
    assert age(watching) == 0


def test_what_it_was_made_from_is_older_whatever_the_clocks_say(store: Replicated) -> None:
    watching = watch(store)
    chosen(store, ALICE, made(Choice.OPT_IN, 9, b"an older"))
    before = store.read([ALICE], 1.0)[0].preference
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    store.put(ALICE, preference=before)
    watching.check()
    assert stored(store, ALICE).choice is Choice.OPT_OUT


def test_a_choice_made_after_a_loss_is_watched_though_its_version_is_lower(store: Replicated) -> None:
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


def test_a_record_that_cannot_be_read_is_left_alone(store: Replicated) -> None:
    watching = watch(store)
    watching.track(ALICE, chosen(store, ALICE, made(Choice.OPT_OUT, 1)))
    store.spoil(ALICE, "preference")
    watching.check()
    assert store.read([ALICE], 1.0)[0].preference == b"\0"
    assert age(watching) == 0


def test_a_choice_is_waited_for_longer_than_a_server_needs_that_syncs_every_second() -> None:
    # ``appendfsync everysec`` may take two seconds (Redis, "Persistence").
    assert CONFIRM_BUDGET_S > 2
