"""The stored records of a sample person: a preference record and a profile.

A person who opted out had a profile before, so the record without the choice is stored first, then the choice.
"""

from collections.abc import Iterator
from typing import NamedTuple

from server.sample.person import OptOutWay, Person, Stored
from targeting.model import Subject, SubjectKind
from targeting.records.preference import Choice, Preference, PreferenceChange, Source
from targeting.records.profile import RawProfile

_KNOWN_FOR_S = 200 * 86_400
_MADE_S = 3600


class Records(NamedTuple):
    """The records of one subject. ``opt_out`` is the preference record after a choice that came later."""

    subject: Subject
    preference: Preference
    profile: RawProfile | None = None
    opt_out: Preference | None = None


def records(person: Person, now_s: int) -> Iterator[Records]:
    """Yield everything to store about a person."""
    if person.stored is not Stored.NOTHING:
        yield _own_records(person, now_s)
    if person.opt_out_way is OptOutWay.LINKED_ACCOUNT:
        linked = Subject(SubjectKind.ACCOUNT, person.linked_account_id)
        yield Records(linked, _opted_out(Preference(), Source.ACCOUNT_PAGE, now_s))
    if person.opt_out_way is OptOutWay.BROWSER and person.account_id:
        browser = Subject(SubjectKind.DEVICE, person.device_id)
        yield Records(browser, _opted_out(Preference(), Source.BROWSER, now_s))


def _own_records(person: Person, now_s: int) -> Records:
    by_account = bool(person.account_id)
    preference = Preference(
        country=person.place.country if person.stored_locale else "",
        language=person.language if person.stored_locale else "",
        birth_day=person.birth_day,
    )
    return Records(
        Subject(SubjectKind.ACCOUNT, person.account_id)
        if by_account
        else Subject(SubjectKind.DEVICE, person.device_id),
        preference,
        _profile(person, now_s) if person.stored is Stored.PROFILE else None,
        _own_opt_out(person, preference, now_s, by_account=by_account),
    )


def _own_opt_out(person: Person, preference: Preference, now_s: int, *, by_account: bool) -> Preference | None:
    if person.opt_out_way is OptOutWay.ACCOUNT_PAGE:
        return _opted_out(preference, Source.ACCOUNT_PAGE, now_s)
    if person.opt_out_way is OptOutWay.BROWSER and not by_account:
        return _opted_out(preference, Source.BROWSER, now_s)
    return None


def _opted_out(before: Preference, source: Source, now_s: int) -> Preference:
    at_ms = (now_s - _MADE_S) * 1000
    change = PreferenceChange(version=1, choice=Choice.OPT_OUT, source=source, changed_at_ms=at_ms, change_key=bytes(8))
    return before._replace(choice=Choice.OPT_OUT, source=source, changed_at_ms=at_ms, version=1, history=(change,))


def _profile(person: Person, now_s: int) -> RawProfile:
    habits = person.habits
    return RawProfile(
        gender=person.gender,
        occupation=person.occupation,
        postal_code=person.postal_code,
        country=person.place.country,
        language=person.language,
        interest_rows=habits.interest_rows,
        destination_rows=habits.destination_rows,
        exposure_rows=habits.exposure_rows,
        outside_names=(),
        ad_ids=habits.ad_ids,
        version=1,
        created_s=now_s - _KNOWN_FOR_S,
        updated_s=now_s,
    )
