"""What forbids to record an activity: all that limits a decision, and the lack of consent to write profiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.decision import PlannedRequest, Rulebook, decide, plan
from targeting.model import AdRequest, Identity, LocaleInputs, Signals, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY, Policy, policy_from
from targeting.reasons import Reason, reasons_in
from targeting.recording.admission import forbidden_by_records, forbidden_by_request
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.stored_records import StoredRecords
from targeting.signals.nap import Nap
from tests.properties.any_request import REQUESTS, records
from tests.targeting.recording.any_activity import NOW_S
from tests.targeting.signals.strings import STRINGS, VENDOR
from tests.targeting.signals.tcf.tcf_encoder import BitField, Tc

OWNER = bytes(range(16))
POLICY = policy_from({"gdpr": {"host_vendor_id": VENDOR}})
NOT_IN_SCOPE = Signals(gdpr_applies=False)
AMERICAN = AdRequest(identity=Identity("alice"), client_country="US")


def consent(*purposes: int) -> str:
    return Tc(purposes=frozenset(purposes), consents=BitField(frozenset({VENDOR}), 800)).text()


def item(request: AdRequest, policy: Policy = POLICY) -> PlannedRequest:
    return plan([request], policy, NOW_S).items[0]


def forbidden(request: AdRequest, policy: Policy = POLICY) -> tuple[Reason, ...]:
    return reasons_in(forbidden_by_request(item(request, policy), policy))


REQUESTS_AND_REASONS = {
    "nothing limits": (AMERICAN, ()),
    "a cookie": (AMERICAN._replace(cookie_header="TOptOut=1"), (Reason.COOKIE_OPT_OUT,)),
    "GPC": (
        AMERICAN._replace(signals=Signals(global_privacy_control=True)),
        (Reason.GLOBAL_PRIVACY_CONTROL,),
    ),
    "a child": (AMERICAN._replace(signals=Signals(child_directed=True)), (Reason.CHILD_DIRECTED,)),
    "the client's switch": (AMERICAN._replace(signals=Signals(targeted_ads_off=True)), (Reason.APP_OPT_OUT,)),
    "a state's opt-out": (
        AMERICAN._replace(signals=Signals(gpp=STRINGS["usnat-sale-opt-out"], gpp_section_ids=(7,))),
        (Reason.GPP_OPT_OUT,),
    ),
    "consent to everything": (
        AMERICAN._replace(client_country="FR", signals=Signals(tcf_consent=consent(2, 3, 4))),
        (),
    ),
    "consent to use but not to write": (
        AMERICAN._replace(client_country="FR", signals=Signals(tcf_consent=consent(2, 4))),
        (Reason.TCF_NO_CONSENT,),
    ),
    "consent to write but not to use": (
        AMERICAN._replace(client_country="FR", signals=Signals(tcf_consent=consent(2, 3))),
        (Reason.TCF_NO_CONSENT,),
    ),
    "no country and no flag: the GDPR applies": (
        AMERICAN._replace(client_country=""),
        (Reason.TCF_NO_CONSENT,),
    ),
    "no country, and the flag says that it does not": (
        AMERICAN._replace(client_country="", signals=Signals(gdpr_applies=False)),
        (),
    ),
    "the country of the cookie": (AMERICAN._replace(client_country="", cookie_header="CC=US"), ()),
}


@pytest.mark.parametrize(("request_", "reasons"), REQUESTS_AND_REASONS.values(), ids=REQUESTS_AND_REASONS)
def test_the_signals_of_an_activity(request_: AdRequest, reasons: tuple[Reason, ...]) -> None:
    assert forbidden(request_) == reasons


@pytest.mark.parametrize("purpose", [1, 2, *range(5, 12)])
def test_no_other_purpose_is_needed_to_record(purpose: int) -> None:
    others = consent(*({*range(1, 12)} - {purpose}))
    assert forbidden(AMERICAN._replace(client_country="FR", signals=Signals(tcf_consent=others))) == ()


@given(REQUESTS)
def test_whatever_limits_a_decision_forbids_the_write(request: AdRequest) -> None:
    found = item(request, DEFAULT_POLICY).verdict.reasons
    assert forbidden_by_request(item(request, DEFAULT_POLICY), DEFAULT_POLICY) & found == found


def stored(
    preference: Preference | None = None, *, profile: bytes | None = None, kind: SubjectKind = SubjectKind.ACCOUNT
) -> StoredRecords:
    return StoredRecords(kind, OWNER, preference and encode_preference(preference, OWNER), profile)


CHILD = Preference(birth_day=NOW_S // 86_400 - 12 * 365)
RECORDS_AND_REASONS = {
    "no person is known": ([stored()], ()),
    "known, without a choice": ([stored(Preference(), profile=b"anything")], ()),
    "opted in": ([stored(Preference(choice=Choice.OPT_IN))], ()),
    "opted out": ([stored(Preference(choice=Choice.OPT_OUT))], (Reason.ACCOUNT_OPT_OUT,)),
    "the device has opted out": (
        [stored(), stored(Preference(choice=Choice.OPT_OUT), kind=SubjectKind.DEVICE)],
        (Reason.DEVICE_OPT_OUT,),
    ),
    "a child": ([stored(CHILD)], (Reason.UNDER_AGE,)),
    "a profile whose preference is gone": ([stored(profile=b"anything")], (Reason.PREFERENCE_LOST,)),
    "a preference that cannot be read": (
        [StoredRecords(SubjectKind.ACCOUNT, OWNER, b"\0")],
        (Reason.RECORD_UNREADABLE,),
    ),
    "everything at once": (
        [stored(CHILD._replace(choice=Choice.OPT_OUT)), stored(profile=b"anything")],
        (Reason.ACCOUNT_OPT_OUT, Reason.UNDER_AGE, Reason.PREFERENCE_LOST),
    ),
}


@pytest.mark.parametrize(("found", "reasons"), RECORDS_AND_REASONS.values(), ids=RECORDS_AND_REASONS)
def test_the_stored_records(found: list[StoredRecords], reasons: tuple[Reason, ...]) -> None:
    assert reasons_in(forbidden_by_records(found, POLICY, NOW_S)) == reasons


def test_a_nap_cookie_of_a_child_forbids() -> None:
    assert forbidden_by_records([stored()], POLICY, NOW_S, naps=[Nap(age=12)]) == Reason.UNDER_AGE.bit
    assert not forbidden_by_records([stored()], POLICY, NOW_S, naps=[Nap(age=13), Nap()])


AGES = {
    "nothing shows a country, so the highest age": (LocaleInputs(), "", 16),
    "the client does": (LocaleInputs(client_country="DE"), "", 16),
    "the cookie does": (LocaleInputs(cookie_country="DE"), "", 16),
    "the record does": (LocaleInputs(), "DE", 16),
    "the record before the cookie": (LocaleInputs(cookie_country="DE"), "US", 13),
}


@pytest.mark.parametrize(("shown", "stored_country", "age"), AGES.values(), ids=AGES)
def test_who_is_a_child_depends_on_the_country(shown: LocaleInputs, stored_country: str, age: int) -> None:
    policy = policy_from({"children": {"age_by_country": {"DE": 16}}})
    for years in (12, 14, 17):
        found = [stored(Preference(country=stored_country, birth_day=NOW_S // 86_400 - years * 366))]
        request = AdRequest(
            client_country=shown.client_country,
            cookie_header=f"CC={shown.cookie_country}" if shown.cookie_country else "",
            signals=NOT_IN_SCOPE,
        )
        assert bool(forbidden_by_records(found, policy, NOW_S, item(request, policy))) is (years < age)


@given(REQUESTS, st.data())
def test_records_forbid_what_they_limit(request: AdRequest, data: st.DataObject) -> None:
    request = request._replace(identity=Identity("alice", ("bob",), "phone"), signals=NOT_IN_SCOPE, cookie_header="")
    planned = plan([request], DEFAULT_POLICY, NOW_S)
    found = [data.draw(records(subject)) for subject in planned.subjects]
    (decision,) = decide(planned, found, [()], Rulebook(DEFAULT_POLICY), NOW_S)
    forbidding = forbidden_by_records(found, DEFAULT_POLICY, NOW_S, planned.items[0])
    # A profile that cannot be read limits too, and is found when it is about to be written.
    assert forbidding & ~decision.reasons == 0
    assert decision.reasons & ~forbidding in (0, Reason.NO_PROFILE.bit, Reason.RECORD_UNREADABLE.bit)
