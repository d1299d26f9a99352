"""Where a decision asks for a stored opt-in: by any source of the place, and whose opt-in answers it."""

from typing import Any

import pytest

from targeting.age import person_day
from targeting.decision import plan, state
from targeting.model import AdRequest, Identity
from targeting.places.geo import IpLocation
from targeting.policy.policy import policy_from
from targeting.records.preference import Choice, Preference
from tests.targeting.test_where_sources_meet import IN_THE_US, NOW_S, OUT_OF_SCOPE, decided, names

OPT_IN_IN_BRAZIL = policy_from({"consent": {"explicit_opt_in_in": ["BR"]}})
IN_BRAZIL = AdRequest(ip_location=IpLocation("BR", ""), signals=OUT_OF_SCOPE)
OPTED_IN = Preference(choice=Choice.OPT_IN)
OPT_INS: dict[str, tuple[AdRequest, dict[str, Any], list[str]]] = {
    "no choice": (IN_BRAZIL, {}, ["OPT_IN_REQUIRED"]),
    "the person's opt-in": (IN_BRAZIL, {"alice": OPTED_IN}, []),
    "a linked account's opt-in": (IN_BRAZIL, {"bob": OPTED_IN}, ["OPT_IN_REQUIRED"]),
    "an opt-in, and a linked account of which nothing is stored": (IN_BRAZIL, {"alice": OPTED_IN, "bob": None}, []),
    "elsewhere": (AdRequest(ip_location=IN_THE_US), {}, []),
    "elsewhere, with a linked account of which nothing is stored": (
        AdRequest(ip_location=IN_THE_US),
        {"bob": None},
        [],
    ),
    "at home there": (AdRequest(ip_location=IN_THE_US), {"alice": Preference(country="BR")}, ["OPT_IN_REQUIRED"]),
    "a linked account at home there": (
        AdRequest(ip_location=IN_THE_US),
        {"bob": Preference(country="BR")},
        ["OPT_IN_REQUIRED"],
    ),
}


@pytest.mark.parametrize(("request_", "stored", "expected"), OPT_INS.values(), ids=OPT_INS)
def test_an_opt_in_is_asked_for_where_any_source_places_the_person(
    request_: AdRequest, stored: dict[str, Any], expected: list[str]
) -> None:
    assert names(decided(request_, policy=OPT_IN_IN_BRAZIL, **stored)) == expected
    assert names(decided(request_, **stored)) == []


OWN = {
    "an account": (Identity("alice"), 1),
    "a device": (Identity(device_id="a-phone"), 1),
    "both": (Identity("alice", device_id="a-phone"), 2),
    "an account with a linked one": (Identity("alice", ("bob",)), 1),
    "both, with a linked account": (Identity("alice", ("bob",), "a-phone"), 2),
    "a linked account alone": (Identity(linked_account_ids=("bob",)), 1),
}


@pytest.mark.parametrize(("identity", "own"), OWN.values(), ids=OWN)
def test_the_opt_ins_of_the_account_and_of_the_device_count_and_no_other(identity: Identity, own: int) -> None:
    (item,) = plan([IN_BRAZIL._replace(identity=identity)], OPT_IN_IN_BRAZIL, NOW_S).items
    assert state(item, [], (), OPT_IN_IN_BRAZIL, person_day(NOW_S)).own_subjects == own
