"""Loading the sample: everything is written once, and existing records stay."""

import pytest

from server.sample.load import Loader
from server.sample.person import OptOutWay, Person, Stored
from server.sample.population import population
from server.store.ports import RecordChange, StoreError
from targeting.model import Subject, SubjectKind
from targeting.records.preference import Choice, Preference, decode_preference, encode_preference
from targeting.records.profile import decode_profile
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

NOW_S = 1_800_000_000
PEOPLE = list(population(7, 600, NOW_S))


def loader(store: FakeStore) -> Loader:
    return Loader([store, store], PSEUDONYMS, retention_days=30)


def own(person: Person) -> Subject:
    if person.account_id:
        return Subject(SubjectKind.ACCOUNT, person.account_id)
    return Subject(SubjectKind.DEVICE, person.device_id)


def first(way: OptOutWay | None) -> Person:
    return next(
        each for each in PEOPLE if each.opt_out_way is way and each.account_id and each.stored is Stored.PROFILE
    )


def test_every_batch_is_told_of_in_order() -> None:
    told = list(loader(FakeStore()).load(PEOPLE, NOW_S))
    assert [each.people for each in told] == [50] * 12
    assert sum(each.written for each in told) > 0.9 * len(PEOPLE)
    assert not any(each.left_alone for each in told)
    assert list(loader(FakeStore()).load([], NOW_S)) == []


def test_what_is_known_is_stored_with_its_preference_record() -> None:
    store = FakeStore()
    list(loader(store).load(PEOPLE, NOW_S))
    person = first(None)
    held = store.read([own(person)], 1)[0]
    assert held.preference is not None
    assert held.profile is not None
    assert decode_preference(held.preference, held.owner).birth_day == person.birth_day
    assert decode_profile(held.profile, held.owner).language == person.language


WHERE = {
    OptOutWay.ACCOUNT_PAGE: lambda person: Subject(SubjectKind.ACCOUNT, person.account_id),
    OptOutWay.LINKED_ACCOUNT: lambda person: Subject(SubjectKind.ACCOUNT, person.linked_account_id),
    OptOutWay.BROWSER: lambda person: Subject(SubjectKind.DEVICE, person.device_id),
}


@pytest.mark.parametrize("opt_out_way", WHERE, ids=lambda opt_out_way: opt_out_way.name)
def test_a_stored_opt_out_is_where_it_was_made_and_the_profile_is_frozen(opt_out_way: OptOutWay) -> None:
    store, person = FakeStore(), first(opt_out_way)
    list(loader(store).load(PEOPLE, NOW_S))
    held = store.read([WHERE[opt_out_way](person)], 1)[0]
    assert held.preference is not None
    assert decode_preference(held.preference, held.owner).choice is Choice.OPT_OUT
    assert store.read([own(person)], 1)[0].profile is not None


def test_a_choice_made_before_stays() -> None:
    store, person = FakeStore(), first(None)
    held = store.read([own(person)], 1)[0]
    chosen = encode_preference(Preference(choice=Choice.OPT_OUT, version=5), held.owner)
    store.commit([RecordChange(own(person), held, preference=chosen)], 1)
    told = list(loader(store).load(PEOPLE, NOW_S))
    assert sum(each.left_alone for each in told) == 1
    after = store.read([own(person)], 1)[0]
    assert (after.preference, after.profile) == (chosen, None)


def test_loading_again_changes_nothing() -> None:
    store = FakeStore()
    written = sum(each.written for each in loader(store).load(PEOPLE, NOW_S))
    before = store.read([own(person) for person in PEOPLE], 1)
    again = list(loader(store).load(PEOPLE, NOW_S + 86_400))
    assert sum(each.written for each in again) == 0
    assert sum(each.left_alone for each in again) == written
    assert store.read([own(person) for person in PEOPLE], 1) == before


def test_a_store_that_is_down_is_an_error() -> None:
    store = FakeStore()
    store.down = True
    with pytest.raises(StoreError):
        list(loader(store).load(PEOPLE, NOW_S))
