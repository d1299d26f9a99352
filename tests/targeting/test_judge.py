"""The judge: what each signal of a request limits by itself, and what each record does."""

from typing import Any

import pytest

from targeting.age import person_day
from targeting.judge import Grant, Stated, Verdict, judge_request, judge_stored, read_stored_choices
from targeting.model import AdRequest, AgeTreatment, Identity, Signals, SubjectKind
from targeting.places.geo import IpLocation
from targeting.policy.policy import Policy, policy_from
from targeting.reasons import Reason, reasons_in
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import NO_COOKIES, Cookies
from tests.targeting.signals.strings import STRINGS

TODAY = person_day(1_780_000_000.0)
IN_THE_US = IpLocation("US", "US-OH")
HONOURS_DNT = policy_from({"signals": {"honour_do_not_track": True}})
ZEROS = "00000000-0000-0000-0000-000000000000"


def judged(cookies: Cookies = NO_COOKIES, device: str = "", policy: Policy = HONOURS_DNT, **signals: Any) -> list[str]:
    request = AdRequest(
        identity=Identity(device_id=device), ip_location=IN_THE_US, signals=Signals()._replace(**signals)
    )
    verdict = judge_request(request, cookies, policy, TODAY)
    return [reason.name for reason in reasons_in(verdict.reasons)]


SIGNALS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, []),
    "a child-directed service": ({"child_directed": True}, ["CHILD_DIRECTED"]),
    "the client's switch": ({"targeted_ads_off": True}, ["APP_OPT_OUT"]),
    "an industry opt-out": ({"industry_opt_outs": (1,)}, ["INDUSTRY_OPT_OUT"]),
    "Global Privacy Control": ({"global_privacy_control": True}, ["GLOBAL_PRIVACY_CONTROL"]),
    "Do Not Track, which is honoured": ({"do_not_track": True}, ["DO_NOT_TRACK"]),
    "Limit Ad Tracking": ({"limit_ad_tracking": True}, ["LIMIT_AD_TRACKING"]),
    "a signal that cannot be read": ({"unreadable": ("regs.coppa",)}, ["SIGNAL_UNREADABLE"]),
    "treatment as an adult": ({"age_treatment": AgeTreatment.ADULT}, []),
    "treatment as a child": ({"age_treatment": AgeTreatment.CHILD}, ["CHILD_DIRECTED"]),
    "treatment as a teenager": ({"age_treatment": AgeTreatment.TEEN}, ["UNDER_AGE"]),
    "an unknown treatment": ({"age_treatment": 99}, ["SIGNAL_UNREADABLE"]),
    "the birth year of a child": ({"latest_birth_day": TODAY - 9 * 365}, ["UNDER_AGE"]),
    "the birth year of an adult": ({"latest_birth_day": TODAY - 40 * 366}, []),
    "a child, treated as an adult": (
        {"age_treatment": AgeTreatment.ADULT, "latest_birth_day": TODAY - 9 * 365},
        ["UNDER_AGE"],
    ),
    "a TC string that refuses": ({"gdpr_applies": True, "tcf_consent": STRINGS["tcf-refusal"]}, ["TCF_NO_CONSENT"]),
    "a GPP string that opts out": ({"gpp": STRINGS["usnat-sale-opt-out"]}, ["GPP_OPT_OUT"]),
    "a US Privacy string that opts out": ({"us_privacy": "1YYN"}, ["US_PRIVACY_OPT_OUT"]),
    "several": (
        {"global_privacy_control": True, "child_directed": True, "us_privacy": "1YYN"},
        ["CHILD_DIRECTED", "GLOBAL_PRIVACY_CONTROL", "US_PRIVACY_OPT_OUT"],
    ),
}


@pytest.mark.parametrize(("signals", "expected"), SIGNALS.values(), ids=SIGNALS)
def test_each_signal_limits_by_itself(signals: dict[str, Any], expected: list[str]) -> None:
    assert judged(**signals) == expected


def test_do_not_track_limits_only_where_the_policy_honours_it() -> None:
    assert judged(do_not_track=True, policy=Policy()) == []


COOKIES = {
    "none": (NO_COOKIES, []),
    "a browser's id": (Cookies(muid="a" * 32), []),
    "the browser's opt-out": (Cookies(opt_out=True), ["COOKIE_OPT_OUT"]),
    "the account's opt-out": (Cookies(anon_opt_out=True), ["COOKIE_OPT_OUT"]),
    "a browser whose choice cannot be looked up": (Cookies(device_doubt=True), ["SIGNAL_UNREADABLE"]),
    "an opt-out, and a doubt": (Cookies(opt_out=True, device_doubt=True), ["COOKIE_OPT_OUT", "SIGNAL_UNREADABLE"]),
}


@pytest.mark.parametrize(("cookies", "expected"), COOKIES.values(), ids=COOKIES)
def test_each_cookie_limits_by_itself(cookies: Cookies, expected: list[str]) -> None:
    assert judged(cookies) == expected


@pytest.mark.parametrize(("device", "expected"), [("", []), ("a-device", []), (ZEROS, ["LIMIT_AD_TRACKING"])])
def test_an_advertising_id_of_zeros_limits(device: str, expected: list[str]) -> None:
    assert judged(device=device) == expected


ACCOUNT, DEVICE = SubjectKind.ACCOUNT, SubjectKind.DEVICE
OWNER = bytes(16)
OF_AGE_DAY = TODAY - 13 * 366
NOTHING, PROFILE, JUNK = None, b"a profile", b"junk"


def records(kind: SubjectKind, preference: Preference | bytes | None, profile: bytes | None = PROFILE) -> StoredRecords:
    encoded = encode_preference(preference, OWNER) if isinstance(preference, Preference) else preference
    return StoredRecords(kind, OWNER, encoded, profile)


def verdict_on(stated: Stated, *stored: StoredRecords) -> list[str]:
    """The reasons of the records' verdict, which has a grant exactly where there are none."""
    reasons, grant = judge_stored(stored, read_stored_choices(stored), stated)
    assert isinstance(grant, Grant) is (not reasons)
    return [reason.name for reason in reasons_in(reasons)]


NONE, OPTED_OUT, OPTED_IN = (Preference(choice=choice) for choice in (Choice.NONE, Choice.OPT_OUT, Choice.OPT_IN))
CHILD, GROWN = Preference(birth_day=OF_AGE_DAY + 1), Preference(birth_day=OF_AGE_DAY)
RECORDS = {
    "nothing": ([records(ACCOUNT, NOTHING, NOTHING)], ["NO_PROFILE"]),
    "a choice without a profile": ([records(ACCOUNT, NONE, NOTHING)], ["NO_PROFILE"]),
    "a profile without a choice": ([records(ACCOUNT, NOTHING)], ["PREFERENCE_LOST"]),
    "a choice that cannot be read": ([records(ACCOUNT, JUNK)], ["RECORD_UNREADABLE"]),
    "one that cannot be read, without a profile": ([records(ACCOUNT, JUNK, NOTHING)], ["RECORD_UNREADABLE"]),
    "no choice made": ([records(ACCOUNT, NONE)], []),
    "the account's opt-in": ([records(ACCOUNT, OPTED_IN)], []),
    "the account's opt-out": ([records(ACCOUNT, OPTED_OUT)], ["ACCOUNT_OPT_OUT"]),
    "the device's opt-out": ([records(DEVICE, OPTED_OUT)], ["DEVICE_OPT_OUT"]),
    "an opt-out without a profile": ([records(ACCOUNT, OPTED_OUT, NOTHING)], ["ACCOUNT_OPT_OUT"]),
    "a child": ([records(ACCOUNT, CHILD)], ["UNDER_AGE"]),
    "a person of age since today": ([records(ACCOUNT, GROWN)], []),
    "a child that opted out": (
        [records(DEVICE, CHILD._replace(choice=Choice.OPT_OUT))],
        ["DEVICE_OPT_OUT", "UNDER_AGE"],
    ),
    "the second subject's opt-out": ([records(ACCOUNT, NONE), records(DEVICE, OPTED_OUT)], ["DEVICE_OPT_OUT"]),
    "the second subject's lost choice": ([records(ACCOUNT, NONE), records(DEVICE, NOTHING)], ["PREFERENCE_LOST"]),
    "the first subject's opt-out": ([records(ACCOUNT, OPTED_OUT), records(DEVICE, OPTED_IN)], ["ACCOUNT_OPT_OUT"]),
    "a second subject of whom nothing is stored": ([records(ACCOUNT, NONE), records(DEVICE, NOTHING, NOTHING)], []),
    "a profile of the second subject alone": (
        [records(ACCOUNT, NONE, NOTHING), records(DEVICE, NONE)],
        ["NO_PROFILE"],
    ),
}


@pytest.mark.parametrize(("stored", "expected"), RECORDS.values(), ids=RECORDS)
def test_each_record_limits_by_itself(stored: list[StoredRecords], expected: list[str]) -> None:
    assert verdict_on(Stated(OF_AGE_DAY), *stored) == expected
    child = verdict_on(Stated(OF_AGE_DAY, child=True), *stored)
    assert set(child) == {*expected, "UNDER_AGE"} - {"NO_PROFILE"}


OPT_INS = {
    "the account's": (1, [records(ACCOUNT, OPTED_IN)], []),
    "the device's": (2, [records(ACCOUNT, NONE), records(DEVICE, OPTED_IN)], []),
    "a linked account's": (1, [records(ACCOUNT, NONE), records(ACCOUNT, OPTED_IN)], ["OPT_IN_REQUIRED"]),
    "none": (1, [records(ACCOUNT, NONE)], ["OPT_IN_REQUIRED"]),
    "one that cannot be read": (1, [records(ACCOUNT, JUNK)], ["RECORD_UNREADABLE", "OPT_IN_REQUIRED"]),
    "beside an opt-out": (2, [records(ACCOUNT, OPTED_IN), records(DEVICE, OPTED_OUT)], ["DEVICE_OPT_OUT"]),
}


@pytest.mark.parametrize(("own", "stored", "expected"), OPT_INS.values(), ids=OPT_INS)
def test_a_stored_opt_in_counts_where_it_is_needed(own: int, stored: list[StoredRecords], expected: list[str]) -> None:
    found = verdict_on(Stated(OF_AGE_DAY, needs_opt_in=True, own_subjects=own), *stored)
    assert set(found) == set(expected)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_subject_has_a_choice_of_its_own(count: int) -> None:
    stored = [records(ACCOUNT, OPTED_IN), records(DEVICE, OPTED_OUT)]
    choices = [*read_stored_choices(stored), None][:count]
    with pytest.raises(ValueError, match="zip"):
        judge_stored(stored, choices, Stated(OF_AGE_DAY))


def test_a_choice_counts_also_without_its_record() -> None:
    choices = read_stored_choices([records(ACCOUNT, OPTED_OUT)])
    verdict = judge_stored([records(ACCOUNT, NOTHING, NOTHING)], choices, Stated(OF_AGE_DAY))
    assert verdict == Verdict(Reason.ACCOUNT_OPT_OUT.bit)


def test_only_the_judge_mints_a_grant() -> None:
    with pytest.raises(TypeError, match="only the judge"):
        Grant(object())
