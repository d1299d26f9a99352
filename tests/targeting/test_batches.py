"""A batch: each request is decided by itself, whatever its neighbours are."""

from itertools import permutations

import pytest

from targeting.decision import Rulebook, decide, plan
from targeting.model import AdRequest, Identity, Mode, Signals
from targeting.places.geo import IpLocation
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import Profile, encode_profile
from targeting.records.stored_records import StoredRecords
from tests.properties.any_request import owner_of
from tests.targeting.test_where_sources_meet import NOW_S, POLICY

PREFERENCES = {"alice": Preference(), "bob": Preference(choice=Choice.OPT_OUT)}
REQUESTS = {
    "alice": Identity("alice"),
    "bob": Identity("bob"),
    "no one": Identity(),
    "with a signal": Identity("alice"),
}


@pytest.mark.parametrize("order", list(permutations(REQUESTS)), ids=", ".join)
def test_only_the_person_whom_nothing_limits_has_features(order: tuple[str, ...]) -> None:
    requests = [
        AdRequest(
            request_id=name,
            identity=REQUESTS[name],
            ip_location=IpLocation("US", ""),
            signals=Signals(gdpr_applies=False, global_privacy_control=name == "with a signal"),
        )
        for name in order
    ]
    planned = plan(requests, POLICY, NOW_S)
    stored = [
        StoredRecords(
            subject.kind,
            owner_of(subject),
            encode_preference(PREFERENCES[subject.id], owner_of(subject)),
            encode_profile(Profile(), owner_of(subject)),
        )
        for subject in planned.subjects
    ]
    for decision in decide(planned, stored, [()] * len(order), Rulebook(POLICY), NOW_S):
        is_behavioural = decision.request_id == "alice"
        assert (decision.mode is Mode.BEHAVIOURAL) is is_behavioural
        assert (decision.behavioural is not None) is is_behavioural
