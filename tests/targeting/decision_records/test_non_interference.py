"""A record of a limited decision is the same whatever the profile, and no record holds an id or a text of a caller."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targeting.decision import plan
from targeting.decision_records.lines import line_of
from targeting.decision_records.person_group import day_pseudonym, group_of
from targeting.model import AdRequest, Identity, Mode, Signals
from targeting.places.geo import IpLocation
from targeting.reasons import Reason, reasons_of
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import Profile, encode_profile
from targeting.records.stored_records import StoredRecords
from tests.properties.any_request import profile_values
from tests.targeting.decision_records.made_up_people import POLICY, decisions, people
from tests.targeting.decision_records.recorded import NOW_S, any_decision, record, recorded
from tests.targeting.decision_records.test_replay import Case

SHOWN_BY_THE_ANSWER = reasons_of(Reason.NO_PROFILE, Reason.PREFERENCE_LOST)


@settings(max_examples=40)
@given(any_decision(), st.data())
def test_a_limited_record_does_not_depend_on_the_profile(case: Case, data: st.DataObject) -> None:
    request, policy, fetched, naps = case
    made = recorded(*case)
    reasons = made.decision.reasons
    if made.decision.mode is not Mode.LIMITED or isinstance(fetched, Reason) or reasons & SHOWN_BY_THE_ANSWER:
        return
    if reasons == Reason.RECORD_UNREADABLE.bit:
        # An unreadable profile is a reason only where a grant would have opened it.
        return
    swapped = [
        records._replace(profile=data.draw(st.sampled_from([None, data.draw(profile_values(records.owner))])))
        if records.preference is not None
        else records
        for records in fetched
    ]
    assert record(recorded(request, policy, swapped, naps)) == record(made)


@pytest.mark.parametrize("choice", [Choice.OPT_OUT, Choice.NONE])
def test_whether_there_is_a_profile_is_in_no_limited_record(choice: Choice) -> None:
    owner = bytes(16)
    request = AdRequest(identity=Identity("a", (), "d"), ip_location=IpLocation("DE", ""))
    signals = Signals(gdpr_applies=False, latest_birth_day=None)
    for asking in (request, request._replace(signals=signals)):
        subjects = plan([asking], POLICY, NOW_S).subjects
        preference = encode_preference(Preference(choice=choice, birth_day=20_000), owner)
        without = [StoredRecords(subject.kind, owner, preference) for subject in subjects]
        held = [records._replace(profile=encode_profile(Profile(), owner)) for records in without]
        assert record(recorded(asking, POLICY, without)) == record(recorded(asking, POLICY, held))


def test_a_limited_record_names_no_group_and_a_behavioural_one_is_of_eight() -> None:
    groups = set()
    for made in decisions(list(people(300)), 12):
        assert record(made).person is None
        features, stored = made.decision.behavioural, made.decided.stored
        if features is not None and not isinstance(stored, Reason):
            groups.add(group_of(day_pseudonym(features, stored[0].owner, b"secret")))
            assert day_pseudonym(features, stored[0].owner, b"a") != day_pseudonym(features, stored[0].owner, b"b")
    assert groups == set(range(8))


def planted(number: int) -> AdRequest:
    """A request in which every text of the caller is a canary."""
    mark = f"planted{number:04}"
    return AdRequest(
        request_id=mark,
        identity=Identity(mark, (f"{mark}-linked",), f"{mark}-device"),
        ip="203.0.113.77",
        ip_location=IpLocation("US", "US-TX"),
        accept_language=f"{mark}, en",
        client_country=mark,
        client_language=mark,
        cookie_header=f"MUID={number:032x}; ANON=A={mark}; CC={mark}; MH={mark}; NAP={mark}; other={mark}",
        networks=("house", f"{mark}-network"),
        caller=mark,
    )


def lines(ids: int) -> Iterator[bytes]:
    for number in range(1, ids + 1):
        request = planted(number)
        owner = f"planted{number:09}".encode()
        preference = encode_preference(Preference(choice=Choice.OPT_IN, language="en"), owner)
        subjects = plan([request], POLICY, NOW_S).subjects
        fetched = [StoredRecords(subject.kind, owner, preference) for subject in subjects]
        yield line_of(record(recorded(request, POLICY, fetched)))


def test_no_id_of_a_thousand_is_in_a_record() -> None:
    written = b"".join(lines(1_000))
    assert b"planted" not in written
    assert b"203.0.113" not in written
    assert len({json.dumps(json.loads(line)) for line in written.splitlines()}) == 1


def test_the_search_finds_what_it_looks_for() -> None:
    made = recorded(planted(1), POLICY, Reason.STORE_TIMEOUT)
    leaking = made._replace(policy=replace(POLICY, version="planted0001"))
    assert b"planted" in line_of(record(leaking))
