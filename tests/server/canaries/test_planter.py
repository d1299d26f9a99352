"""Writing canaries: agreed with other services on the same store, and never into one that is not trusted."""

import pytest

from server.canaries.planter import Planter
from server.store.ports import StoreError, StoreUntrusted
from targeting.canaries.ids import CanaryIds
from targeting.canaries.people import CANARIES
from tests.server.store.fake_store import FakeStore

IDS = CanaryIds.of(bytes(32))
NOW_S = 1_780_000_000.0


def planter(store: FakeStore) -> Planter:
    return Planter(store, IDS, lambda: NOW_S + store.now_s)


def test_all_but_the_lost_preference_can_be_asked_about_at_once_and_that_one_after_a_second() -> None:
    store = FakeStore()
    first = planter(store).tend()
    assert {canary.name for canary in CANARIES} - {canary.name for canary in first} == {"lost-preference"}
    store.now_s = 1.1
    assert set(planter(store).tend()) == set(CANARIES)


def test_two_services_on_one_store_agree_and_leave_each_others_records_alone() -> None:
    store = FakeStore()
    one, other = planter(store), planter(store)
    one.tend()
    store.now_s = 1.1
    assert dict(other.tend()) == dict(one.tend()) == dict(other.look())


def test_who_is_overtaken_writes_nothing_and_the_next_round_sees_what_is_there() -> None:
    store = FakeStore()
    read = store.read
    overtaken = planter(store)

    def read_then_be_overtaken(*given: object) -> object:
        held = read(*given)  # type: ignore[arg-type]  # passed on
        store.read = read  # type: ignore[method-assign]  # once
        planter(store).tend()
        return held

    store.read = read_then_be_overtaken  # type: ignore[method-assign,assignment]  # as above
    overtaken.tend()
    store.now_s = 1.1
    assert dict(overtaken.tend()) == dict(planter(store).look())


@pytest.mark.parametrize("trouble", ["untrusted", "down"])
def test_a_store_that_is_not_trusted_or_down_is_not_written_to(trouble: str) -> None:
    store = FakeStore()
    setattr(store, trouble, True)
    with pytest.raises(StoreError) as caught:
        planter(store).tend()
    assert isinstance(caught.value, StoreUntrusted) is (trouble == "untrusted")
    setattr(store, trouble, False)
    assert planter(store).look() == {}


def test_a_canary_whose_records_changed_is_not_asked_about_until_they_are_right_again() -> None:
    store = FakeStore()
    whole = planter(store)
    whole.tend()
    control = CANARIES[0]
    ((subject, _),) = control.subjects(IDS)
    store.put(subject, preference=None)
    assert control not in whole.look()
    assert control in whole.tend()
