"""The sample population: the same for a seed, plausible as a whole, with profiles that the codec reads."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from server.geo.country_table import CountryTable, load_country_table
from server.sample.habits import draw_habits
from server.sample.person import OptOutWay, Person, Stored
from server.sample.personas import Persona, find_personas
from server.sample.places import CALLED, PLACES, Place
from server.sample.population import CHILDREN, GROUP, OPTED_OUT, population
from server.sample.records import records
from targeting.age import is_under, person_day
from targeting.features.taxonomy import named_interests
from targeting.places.iso3166 import COUNTRIES
from targeting.policy.policy import DEFAULT_POLICY
from targeting.records.preference import Choice
from targeting.records.profile import Profile, SegmentKind, decode_profile, write_profile

NOW_S = 1_800_000_000
OWNER = bytes(16)


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return list(population(7, 5 * GROUP, NOW_S))


@pytest.fixture(scope="module")
def profiles(people: list[Person]) -> list[Profile]:
    """Return the profiles of the first group, written and read back."""
    raw = [each.profile for person in people[:GROUP] for each in records(person, NOW_S)]
    return [decode_profile(write_profile(each, OWNER), OWNER) for each in raw if each is not None]


@pytest.fixture(scope="module")
def countries() -> CountryTable:
    return load_country_table()


def test_a_seed_always_gives_the_same_people(people: list[Person]) -> None:
    assert list(population(7, 5 * GROUP, NOW_S)) == people


def test_fewer_people_are_the_first_of_more(people: list[Person]) -> None:
    assert list(population(7, GROUP + 7, NOW_S)) == people[: GROUP + 7]
    assert list(population(7, 0, NOW_S)) == []


def test_another_seed_gives_other_people(people: list[Person]) -> None:
    others = list(population(8, GROUP, NOW_S))
    names = {name for person in others for name in (person.account_id, person.device_id)} - {""}
    assert names.isdisjoint(name for person in people for name in (person.account_id, person.device_id))
    assert [person.place for person in others] != [person.place for person in people[:GROUP]]


def test_all_people_differ(people: list[Person]) -> None:
    accounts = [person.account_id for person in people if person.account_id]
    assert len(set(accounts)) == len(accounts)
    assert len({person.device_id for person in people}) == len(people)


def test_one_in_five_has_opted_out_by_various_means(people: list[Person]) -> None:
    ways = Counter(person.opt_out_way for person in people)
    assert 1 - ways[None] / len(people) == pytest.approx(OPTED_OUT, abs=0.02)
    assert set(ways) == {None, *OptOutWay}
    assert min(ways.values()) > 0.01 * len(people)


def test_some_are_children_and_stay_so_for_a_while(people: list[Person]) -> None:
    children = sum(person.is_child for person in people)
    assert children / len(people) == pytest.approx(CHILDREN, abs=0.01)
    for person in people:
        assert person.birth_day is not None or not person.is_child
        for today in (person_day(NOW_S), person_day(NOW_S) + 170):
            assert person.birth_day is None or is_under(person.birth_day, 13, today) is person.is_child


def test_of_some_little_is_known(people: list[Person]) -> None:
    counts = Counter(person.stored for person in people)
    assert set(counts) == set(Stored)
    assert counts[Stored.PROFILE] > 0.9 * len(people)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.country)
def test_every_address_of_a_place_is_there(place: Place, countries: CountryTable) -> None:
    found = {countries.locate(f"{network}.{third}.77").country for network in place.networks for third in range(1, 254)}
    assert found == {place.country}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.country)
def test_whether_a_place_asks_for_consent_is_as_the_policy_lists_it(place: Place) -> None:
    assert place.asks_consent is (place.country in DEFAULT_POLICY.gdpr.countries)


def test_the_countries_called_are_countries() -> None:
    assert set(COUNTRIES).issuperset(CALLED)
    assert len(set(CALLED)) == len(CALLED)


def test_interests_follow_zipfs_law_over_the_named_ones(profiles: list[Profile]) -> None:
    counts = Counter(held.segment_id for profile in profiles for held in profile.interests).most_common()
    named = {str(segment.code) for segment in named_interests()}
    assert {name for name, _ in counts} <= named
    assert len(counts) > 0.9 * len(named)
    assert counts[0][1] > 5 * counts[len(counts) // 2][1]


def test_profiles_hold_what_profiles_may_hold(profiles: list[Profile]) -> None:
    assert {held.kind for profile in profiles for held in profile.interests} == set(SegmentKind)
    for profile in profiles:
        assert 0 < len({held.segment_id for held in profile.interests}) == len(profile.interests) <= 32
        assert all(0 <= held.score <= 1 and held.updated_s <= NOW_S for held in profile.interests)
        assert len({held.country for held in profile.destinations}) == len(profile.destinations) <= 6
        assert all(held.weight > 0 and held.updated_s <= NOW_S for held in profile.destinations)
        assert len({held.ad_id for held in profile.exposures}) == len(profile.exposures) <= 12
        assert all(held.impressions >= max(held.clicks, 1) for held in profile.exposures)


def test_the_ad_seen_last_comes_first(profiles: list[Profile]) -> None:
    for profile in profiles:
        assert all(one.last_seen_s >= next_one.last_seen_s for one, next_one in pairwise(profile.exposures))
    assert any(len(profile.exposures) > 3 for profile in profiles)


def test_a_stored_opt_out_comes_after_the_profile(people: list[Person]) -> None:
    for person in people:
        own = next(records(person, NOW_S), None)
        if person.opt_out_way is OptOutWay.ACCOUNT_PAGE:
            assert own is not None
            assert own.profile is not None
            assert own.preference.choice is Choice.NONE
            assert own.opt_out is not None
            assert own.opt_out.choice is Choice.OPT_OUT
            assert own.opt_out.birth_day == own.preference.birth_day


def test_the_choices_of_linked_accounts_and_browsers_are_their_own(people: list[Person]) -> None:
    found = Counter(
        len(list(records(person, NOW_S))) for person in people if person.opt_out_way is OptOutWay.LINKED_ACCOUNT
    )
    assert set(found) == {2}
    browsers = [person for person in people if person.opt_out_way is OptOutWay.BROWSER]
    assert {len(list(records(person, NOW_S))) for person in browsers if person.account_id} == {2}
    assert {len(list(records(person, NOW_S))) for person in browsers if not person.account_id} == {1}


def test_every_role_of_the_demo_is_played(people: list[Person]) -> None:
    assert list(find_personas(people)) == list(Persona)
    assert find_personas([]) == {}


def test_habits_are_drawn_for_any_number_of_people() -> None:
    assert len(list(draw_habits(np.random.default_rng(1), 3, NOW_S))) == 3
