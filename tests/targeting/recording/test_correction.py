"""Correcting and erasing: no correction lifts a limit, and no erasure lifts an opt-out or a doubt."""

from dataclasses import replace

import pytest

from targeting.age import person_day
from targeting.judge import Stated, judge_stored, read_stored_choices
from targeting.model import Gender, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY, OptOutPolicy, Policy, policy_from
from targeting.reasons import Reason, Reasons
from targeting.recording.correction import (
    PATHS,
    Corrected,
    CorrectionRefused,
    DeclaredAttributes,
    correct,
    declared_in,
    erase,
    read_records,
)
from targeting.recording.record import Values
from targeting.records.preference import Choice, Preference, Source, decode_preference, encode_preference
from targeting.records.profile import HeldInterest, Profile, SegmentKind, decode_profile, encode_profile
from targeting.records.stored_records import StoredRecords

OWNER = bytes(range(16))
NOW_S = 1_780_000_000
TODAY = person_day(NOW_S)
DAY_S = 86_400
RETENTION_S = DEFAULT_POLICY.retention.profile_days * DAY_S
ADULT, CHILD = TODAY - 30 * 366, TODAY - 12 * 365
LEARNT = Profile(
    gender=Gender.MALE,
    occupation="nurse",
    interests=(HeldInterest("386", SegmentKind.CONTENT, 0.6, NOW_S - DAY_S),),
    version=7,
    created_s=NOW_S - 9 * DAY_S,
    updated_s=NOW_S - DAY_S,
)
ALL = DeclaredAttributes(
    birth_day=ADULT, gender=Gender.FEMALE, occupation="baker", postal_code="SW1A 1AA", country="GB", language="en-GB"
)


def held(preference: Preference | None = Preference(), profile: Profile | None = LEARNT) -> StoredRecords:  # noqa: B008  # immutable
    return StoredRecords(
        SubjectKind.ACCOUNT,
        OWNER,
        None if preference is None else encode_preference(preference, OWNER),
        None if profile is None else encode_profile(profile, OWNER),
    )


def corrected(
    records: StoredRecords, declared: DeclaredAttributes, *paths: str, policy: Policy = DEFAULT_POLICY
) -> Corrected:
    result = correct(records, declared, frozenset(paths), (policy, NOW_S))
    assert isinstance(result, Corrected)
    return result


def forbidden(records: StoredRecords) -> Reasons:
    result = correct(records, ALL, PATHS, (DEFAULT_POLICY, NOW_S))
    assert isinstance(result, CorrectionRefused)
    return result.reasons


def after(records: StoredRecords, values: Values) -> StoredRecords:
    preference, profile, seen = (
        new if new is not None else old for new, old in zip(values[:3], records[2:5], strict=True)
    )
    return StoredRecords(records.kind, records.owner, preference or None, profile or None, seen or None)


class TestCorrect:
    @pytest.mark.parametrize("path", sorted(PATHS))
    def test_what_is_named_changes_and_nothing_else(self, path: str) -> None:
        field = "birth_day" if path == "birth_date" else path
        before = declared_in(*(read_records(held())[0] or Preference(), LEARNT))
        result = corrected(held(), ALL, path)
        assert result.declared == before._replace(**{field: getattr(ALL, field)})
        preference, profile = read_records(after(held(), result.values))
        assert preference is not None
        assert declared_in(preference, profile) == result.declared
        assert profile is not None
        assert profile.interests == LEARNT.interests

    def test_the_locale_that_limited_mode_may_use_is_another_one(self) -> None:
        """It comes with a choice (``SetPreference``), and stays when the profile is erased."""
        with_locale = held(Preference(country="FR", language="fr"))
        result = corrected(with_locale, ALL, "country", "language")
        assert (result.declared.country, result.declared.language) == ("GB", "en-GB")
        assert result.values.preference is None

    def test_what_is_empty_is_withdrawn(self) -> None:
        assert corrected(held(), DeclaredAttributes(), "occupation", "gender").declared == DeclaredAttributes()

    def test_an_attribute_that_a_profile_holds_leaves_the_preference_alone(self) -> None:
        values = corrected(held(), ALL, "occupation").values
        assert values.preference is None
        assert decode_profile(values.profile or b"", OWNER).version == LEARNT.version + 1

    def test_a_birth_date_leaves_the_profile_alone(self) -> None:
        result = corrected(held(), ALL, "birth_date")
        assert (result.values.profile, result.version) == (None, LEARNT.version)
        assert decode_preference(result.values.preference or b"", OWNER).version == 1

    def test_an_unknown_person_gets_both_records_at_once(self) -> None:
        unknown = held(None, None)
        result = corrected(unknown, ALL, "gender")
        assert result.values.preference
        assert result.values.profile
        assert (result.version, result.values.profile_ttl_s) == (1, RETENTION_S)

    def test_a_correction_is_no_activity(self) -> None:
        result = corrected(held(), ALL, "gender")
        assert result.values.profile_ttl_s == RETENTION_S - DAY_S
        assert decode_profile(result.values.profile or b"", OWNER).updated_s == LEARNT.updated_s

    def test_the_choice_stays(self) -> None:
        opted_in = Preference(choice=Choice.OPT_IN, source=Source.ACCOUNT_PAGE, version=4, changed_at_ms=5)
        values = corrected(held(opted_in), ALL, "birth_date").values
        changed = decode_preference(values.preference or b"", OWNER)
        assert changed == opted_in._replace(version=5, birth_day=ADULT)


FORBIDDEN = {
    "opted out": (held(Preference(choice=Choice.OPT_OUT)), Reason.ACCOUNT_OPT_OUT),
    "a child": (held(Preference(birth_day=CHILD)), Reason.UNDER_AGE),
    "the preference is lost": (held(None), Reason.PREFERENCE_LOST),
    "the preference cannot be read": (StoredRecords(SubjectKind.ACCOUNT, OWNER, b"\0"), Reason.RECORD_UNREADABLE),
    "the profile cannot be read": (held()._replace(profile=b"\0"), Reason.RECORD_UNREADABLE),
}


@pytest.mark.parametrize(("records", "reason"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_who_limits_decisions_is_not_corrected(records: StoredRecords, reason: Reason) -> None:
    assert forbidden(records) == reason.bit


class TestBecomingAChild:
    def test_it_is_stored_and_stops_everything(self) -> None:
        result = corrected(held(), ALL._replace(birth_day=CHILD), *PATHS)
        assert (result.values.profile, result.values.seen) == (None, None)
        assert result.declared.occupation == LEARNT.occupation
        assert forbidden(after(held(), result.values)) == Reason.UNDER_AGE.bit

    def test_the_profile_is_erased_where_an_opt_out_would_erase_it(self) -> None:
        erasing = replace(DEFAULT_POLICY, opt_out=OptOutPolicy(on_opt_out="erase"))
        result = corrected(held(), ALL._replace(birth_day=CHILD), "birth_date", policy=erasing)
        assert (result.values.profile, result.values.seen, result.version) == (b"", b"", 0)
        assert result.declared == DeclaredAttributes(birth_day=CHILD)

    @pytest.mark.parametrize(
        ("of_the_choice", "declared", "is_child"),
        [("GB", "US", True), ("US", "GB", True), ("US", "US", False), ("US", "", False), ("", "", True)],
    )
    def test_who_is_a_child_depends_on_the_country_and_the_stricter_counts(
        self, of_the_choice: str, declared: str, is_child: bool
    ) -> None:
        policy = policy_from({"children": {"age_by_country": {"GB": 16}}})
        fifteen = ALL._replace(birth_day=TODAY - 15 * 365, country=declared)
        result = corrected(held(Preference(country=of_the_choice)), fifteen, *PATHS, policy=policy)
        assert (result.values.profile is None) is is_child

    def test_a_child_cannot_declare_itself_older(self) -> None:
        assert forbidden(held(Preference(birth_day=CHILD))) == Reason.UNDER_AGE.bit


def limits(records: StoredRecords) -> Reasons:
    stored = [StoredRecords(SubjectKind.ACCOUNT, OWNER, records.preference, records.profile)]
    return judge_stored(stored, read_stored_choices(stored), Stated(of_age_day=TODAY - 13 * 366)).reasons


class TestErase:
    def test_the_preference_stays(self) -> None:
        for choice in Choice:
            records = held(Preference(choice=choice, version=3))._replace(seen=b"seen")
            assert after(records, erase(records, 5)) == StoredRecords(SubjectKind.ACCOUNT, OWNER, records.preference)

    def test_a_doubt_about_an_opt_out_outlives_the_profile(self) -> None:
        doubtful = held(None)
        assert limits(doubtful) == Reason.PREFERENCE_LOST.bit
        left = after(doubtful, erase(doubtful, 1234))
        assert left.profile is None
        assert limits(left) == Reason.ACCOUNT_OPT_OUT.bit
        assert decode_preference(left.preference or b"", OWNER).changed_at_ms == 1234

    def test_what_cannot_be_read_is_erased_too(self) -> None:
        spoilt = StoredRecords(SubjectKind.ACCOUNT, OWNER, b"\0", b"\0", b"\0")
        left = after(spoilt, erase(spoilt, 5))
        assert left == StoredRecords(SubjectKind.ACCOUNT, OWNER, b"\0")
        assert limits(left) == Reason.RECORD_UNREADABLE.bit

    def test_nothing_is_left_of_an_unknown_person(self) -> None:
        assert after(
            StoredRecords(SubjectKind.ACCOUNT, OWNER), erase(StoredRecords(SubjectKind.ACCOUNT, OWNER), 5)
        ) == StoredRecords(SubjectKind.ACCOUNT, OWNER)


def test_what_was_declared_is_not_shown() -> None:
    assert "baker" not in repr(ALL)
