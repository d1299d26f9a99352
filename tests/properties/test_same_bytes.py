"""Limited mode is blind: people who share only country, language and masked address get the same bytes."""

from typing import Any

import pytest

from targeting.records.preference import Choice, Preference
from tests.properties.people import Person, bid_request, invent_person
from tests.targeting.openrtb.preparing import ALL_NETWORKS, POLICY, Json, Prepared, Stored, asking, prepare, record

LIMITS: dict[str, Json] = {
    "a child-directed service": {"regs": {"gdpr": 0, "coppa": 1}},
    "an opt-out of sale": {"regs": {"gdpr": 0, "us_privacy": "1YYN"}},
    "Global Privacy Control": {"regs": {"gdpr": 0, "ext": {"gpc": 1}}},
    "an unreadable signal": {"regs": {"gdpr": 0, "gpp_sid": "7"}},
}


def answer(person: Person, stored: Stored, fields: Json) -> Prepared:
    call = asking(
        bid_request(person, **fields),
        [*ALL_NETWORKS, "stranger"],
        account_id=person.account_id,
        device_id=person.device_id,
        linked_account_ids=person.linked_ids,
    )
    return prepare(call, policy=POLICY, stored=stored)


def stored_of(person: Person, preference: Preference | None, **others: Any) -> Stored:
    return {subject: record(subject, preference, person.profile, **others) for subject in person.subjects}


@pytest.mark.parametrize("browser", range(3))
@pytest.mark.parametrize("limit", LIMITS)
def test_two_people_limited_by_their_request(limit: str, browser: int) -> None:
    first, second = (invent_person(seed, browser=browser) for seed in (browser + 1, browser + 1001))
    answers = [answer(each, stored_of(each, each.preference), LIMITS[limit]) for each in (first, second)]
    assert answers[0].texts
    assert answers[0].answer == answers[1].answer


@pytest.mark.parametrize("language", ["en", "pt"])
def test_two_people_limited_by_their_choice(language: str) -> None:
    opted_out = Preference(choice=Choice.OPT_OUT)
    people = [invent_person(seed, language=language) for seed in (7, 8)]
    answers = [answer(each, stored_of(each, opted_out), {"regs": {"gdpr": 0}}) for each in people]
    assert set(answers[0].texts) == {*ALL_NETWORKS, "stranger"}
    assert answers[0].answer == answers[1].answer


def test_with_and_without_a_stored_person() -> None:
    """A person unknown to the store is limited for another reason, but the output is the same."""
    person, nobody = invent_person(7), invent_person(8)
    opted_out = stored_of(person, Preference(choice=Choice.OPT_OUT))
    fields = {"regs": {"gdpr": 0}}
    assert answer(person, opted_out, fields).texts == answer(nobody, {}, fields).texts


@pytest.mark.parametrize(
    "different", [{"country": "MEX"}, {"language": "fr"}, {"browser": 1}], ids=["country", "language", "browser"]
)
def test_the_bytes_do_depend_on_what_they_may_depend_on(different: dict[str, Any]) -> None:
    fields = LIMITS["a child-directed service"]
    one, other = (answer(each, {}, fields) for each in (invent_person(1), invent_person(1, **different)))
    assert one.texts != other.texts
