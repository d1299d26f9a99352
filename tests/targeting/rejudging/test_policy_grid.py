"""Every pair of policies about requests that differ in one thing each: the same as when each policy decides.

The requests come one after the other to one pair, so that what it keeps of one is not taken for another.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from targeting.age import person_day
from targeting.decision import Rulebook, decide, plan
from targeting.model import AdRequest, Identity, Signals
from targeting.places.geo import IpLocation
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import Profile, encode_profile
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.batch import DecidedBatch
from targeting.rejudging.changes import changes_between
from targeting.rejudging.policy_pair import PolicyPair
from targeting.rejudging.verdict import NO_RESTRICTION, DecidedRequest, judge_again, verdict_of
from tests.targeting.rejudging.policies import VARIANTS
from tests.targeting.signals.strings import STRINGS, VENDOR
from tests.targeting.signals.tcf.tcf_encoder import BitField, Tc

NOW_S: Final = 1_780_000_000.0
TODAY: Final = person_day(NOW_S)
OWNER: Final = bytes(16)
BORN_14_YEARS_AGO: Final = TODAY - 5_300

IN_US: Final = AdRequest(
    identity=Identity("a"), ip_location=IpLocation("US", "US-TX"), networks=("house", "partner", "stranger")
)
IN_GERMANY: Final = IN_US._replace(
    ip_location=IpLocation("DE", ""), signals=Signals(tcf_consent=STRINGS["tcf-consent"])
)


def with_signals(request: AdRequest = IN_US, **signals: Any) -> AdRequest:
    return request._replace(signals=request.signals._replace(**signals))


FOR_TWO: Final = Tc(purposes=frozenset(range(1, 12)), consents=BitField(frozenset({12, VENDOR}), 800)).text()
ONLY_OURS: Final = Tc(purposes=frozenset(range(1, 12)), consents=BitField(frozenset({VENDOR}), 800)).text()
REQUESTS: Final = {
    "plain": IN_US,
    "in an app": IN_US._replace(in_app=True),
    "do not track": with_signals(do_not_track=True),
    "GPC": with_signals(global_privacy_control=True),
    "unreadable": with_signals(unreadable=("it",)),
    "app opt-out": with_signals(targeted_ads_off=True),
    "in California": IN_US._replace(ip_location=IpLocation("US", "US-CA")),
    "in no state": IN_US._replace(ip_location=IpLocation("US", "")),
    "nowhere": IN_US._replace(ip_location=IpLocation("", "")),
    "client in Germany": IN_US._replace(client_country="DE"),
    "cookie of Germany": IN_US._replace(cookie_header="CC=DE"),
    "shows Germany": IN_US._replace(shown_countries=("DE",)),
    "shows California": IN_US._replace(shown_subdivisions=("US-CA",)),
    "section 7 named": with_signals(gpp=STRINGS["usnat-allows"], gpp_section_ids=(7,)),
    "section 7": with_signals(gpp=STRINGS["usnat-position-refused"]),
    "another section named": with_signals(gpp=STRINGS["usnat-allows"], gpp_section_ids=(-1,)),
    "young by the year": with_signals(latest_birth_day=BORN_14_YEARS_AGO),
    "consent": IN_GERMANY,
    "consent for one": with_signals(IN_GERMANY, tcf_consent=ONLY_OURS),
    "consent for two": with_signals(IN_GERMANY, tcf_consent=FOR_TWO),
    "refusal": with_signals(IN_GERMANY, tcf_consent=STRINGS["tcf-refusal"]),
    "contact only": with_signals(IN_GERMANY, tcf_consent=STRINGS["tcf-contact-only"]),
    "no position": with_signals(IN_GERMANY, tcf_consent=STRINGS["tcf-no-position"]),
    "no string": with_signals(IN_GERMANY, tcf_consent=""),
    "junk": with_signals(IN_GERMANY, tcf_consent="junk"),
    "junk in the US": with_signals(tcf_consent="junk"),
    "junk twice": with_signals(IN_GERMANY, tcf_consent="junk", us_privacy="junk"),
    "no network": IN_GERMANY._replace(networks=()),
}
PREFERENCES: Final = {
    "no choice": Preference(),
    "opted in": Preference(choice=Choice.OPT_IN),
    "opted out": Preference(choice=Choice.OPT_OUT),
    "14 years": Preference(birth_day=BORN_14_YEARS_AGO),
    "of Canada": Preference(country="CA"),
}


def decided(policy: Policy, profile: bytes) -> Iterator[DecidedRequest]:
    for request in REQUESTS.values():
        for preference in PREFERENCES.values():
            planned = plan([request], policy, NOW_S)
            stored = [
                StoredRecords(subject.kind, OWNER, encode_preference(preference, OWNER), profile)
                for subject in planned.subjects
            ]
            decisions = decide(planned, stored, [()], Rulebook(policy), NOW_S)
            yield from DecidedBatch(planned, stored, [()], decisions, policy, NOW_S).requests()


DECIDED: Final = tuple(decided(VARIANTS["base"], encode_profile(Profile(), OWNER)))


@pytest.mark.parametrize("other", VARIANTS)
def test_the_verdict_is_what_the_other_policy_decides(other: str) -> None:
    policy = VARIANTS[other]
    for each in DECIDED:
        verdict, planned = judge_again(each, policy, TODAY), plan([each.item.request], policy, NOW_S)
        assert verdict.asks_store == bool(planned.subjects and not each.stored)
        if not verdict.asks_store:
            stored = each.stored if planned.subjects else ()
            (decision,) = decide(planned, stored, [()], Rulebook(policy), NOW_S)
            assert verdict.reasons == decision.reasons & ~NO_RESTRICTION


@pytest.mark.parametrize("other", VARIANTS)
def test_a_pair_that_keeps_answers_finds_the_same_changes(other: str) -> None:
    pair = PolicyPair(VARIANTS["base"], VARIANTS[other])
    for each in (*DECIDED, *reversed(DECIDED)):
        expected = changes_between(verdict_of(each, pair.current), judge_again(each, pair.other, TODAY))
        assert list(pair.changes(each, TODAY)) == expected


def test_a_profile_that_cannot_be_read_restricts_under_any_policy() -> None:
    unreadable = [each for each in decided(VARIANTS["base"], b"?") if each.reasons == Reason.RECORD_UNREADABLE.bit]
    assert unreadable
    for each in unreadable:
        assert judge_again(each, VARIANTS["base"], TODAY).reasons == Reason.RECORD_UNREADABLE.bit
