"""The single changes that may lift a limit: each takes one cause away, or puts the consent there that was missing.

A cause is one signal, one cookie or one stored fact, as the person who fixes it would name it. A change says what would
have to be different; it never repeats a value.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from targeting.decision import Rulebook
from targeting.inspection.consent_string import consenting_string
from targeting.inspection.situation import Situation
from targeting.model import Identity, Signals, Subject, SubjectKind
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import Choice, Preference, decode_preference, encode_preference
from targeting.records.profile import Profile, encode_profile, read_profile
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import Cookies, read_cookies

CONSENT_STRINGS: Final = frozenset({
    "gdpr_applies", "tcf_consent", "more_tcf_consents", "gpp", "gpp_section_ids", "more_gpps", "us_privacy",
    "more_us_privacies",
})  # fmt: skip
"""Signals that have changes of their own."""
_GDPR_SECTION: Final = 2
_NO_SECTION: Final = (-1,)
_ANY_SUBJECT: Final = Subject(SubjectKind.ACCOUNT, "any")

FLAGS: Final = {
    "child_directed": "the request is not marked as child-directed",
    "targeted_ads_off": "the client's switch for targeted ads is not off",
    "global_privacy_control": "the browser does not send Global Privacy Control",
    "do_not_track": "the browser does not send Do Not Track",
    "limit_ad_tracking": "the device does not limit ad tracking",
    "industry_opt_outs": "there is no opt-out at an industry body",
    "unreadable": "the unreadable signals are well-formed or absent",
    "age_treatment": "the request asks for no treatment as a child or a teenager",
    "latest_birth_day": "no year of birth is stated that makes the person a child",
}


class Change(NamedTuple):
    """One change: what would be different, in words, and the situation after it."""

    text: str
    apply: Callable[[Situation], Situation]


def possible_changes(situation: Situation, rulebook: Rulebook, now_s: float) -> list[Change]:
    """List every change that the situation leaves room for, those of the request first."""
    changes = request_changes(situation, rulebook)
    lifted = after(situation, changes)
    subjects = lifted.subjects(rulebook, now_s)
    if not subjects:
        return [*changes, Change("an account or device is known, and so is something about it", _identified)]
    for place, subject in enumerate(subjects):
        changes += _record_changes(situation, subject, is_first=place == 0)
    return changes


def request_changes(situation: Situation, rulebook: Rulebook) -> list[Change]:
    """List the changes of the request itself; after all of them it limits nothing, and the store is asked."""
    changes = [*_flag_changes(situation), *_string_changes(situation, rulebook), *_cookie_changes(situation)]
    if situation.naps:
        changes.append(Change("the NAP cookie states no age", lambda each: each._replace(naps=())))
    return changes


def after(situation: Situation, changes: list[Change] | tuple[Change, ...]) -> Situation:
    """Return the situation after several changes."""
    for change in changes:
        situation = change.apply(situation)
    return situation


def _signals(situation: Situation, **values: Any) -> Situation:
    signals = situation.request.signals._replace(**values)
    return situation._replace(request=situation.request._replace(signals=signals))


def _reset(name: str, value: object) -> Callable[[Situation], Situation]:
    return lambda situation: _signals(situation, **{name: value})


def _flag_changes(situation: Situation) -> Iterator[Change]:
    for name, default in zip(Signals._fields, Signals(), strict=True):
        if name not in CONSENT_STRINGS and getattr(situation.request.signals, name) != default:
            yield Change(FLAGS[name], _reset(name, default))


def _string_changes(situation: Situation, rulebook: Rulebook) -> Iterator[Change]:
    signals, vendor = situation.request.signals, rulebook.policy.gdpr.host_vendor_id
    if signals.gpp or signals.gpp_section_ids or signals.more_gpps:
        without = partial(_signals, gpp="", gpp_section_ids=(), more_gpps=())
        yield Change("the GPP string withholds nothing and is readable, or is absent", without)
    if signals.us_privacy or signals.more_us_privacies:
        without = partial(_signals, us_privacy="", more_us_privacies=())
        yield Change("the US Privacy string does not opt out and is readable, or is absent", without)
    if vendor:
        consenting = partial(_signals, tcf_consent=consenting_string(vendor), more_tcf_consents=())
        yield Change(f"the TC string gives vendor {vendor} consent for every purpose", consenting)
    yield Change("the request is out of the GDPR's scope", _out_of_scope)


def _out_of_scope(situation: Situation) -> Situation:
    sections = situation.request.signals.gpp_section_ids
    others = tuple(each for each in sections if each != _GDPR_SECTION)
    # Without any section named, those of the string would be judged that were not before.
    named = others or (_NO_SECTION if sections else ())
    return _signals(situation, gdpr_applies=False, gpp_section_ids=named)


def _cookie_changes(situation: Situation) -> Iterator[Change]:
    cookies = read_cookies(situation.request.cookie_header)
    if cookies.opt_out:
        yield Change("there is no TOptOut cookie, or it is exactly 0", partial(_cookies, opt_out=False))
    if cookies.anon_opt_out:
        yield Change("the ANON cookie carries no opt-out", partial(_cookies, anon_opt_out=False))
    if cookies.device_doubt:
        yield Change("there is one readable MUID cookie, or none", partial(_cookies, device_doubt=False))


def _cookies(situation: Situation, **values: Any) -> Situation:
    cookies = read_cookies(situation.request.cookie_header)._replace(**values)
    return situation._replace(request=situation.request._replace(cookie_header=_header(cookies)))


def _header(cookies: Cookies) -> str:
    """Write a header that is read as these cookies."""
    pairs = [
        *(["TOptOut=1"] if cookies.opt_out else []),
        *([f"MUID={cookies.muid}"] if cookies.muid else []),
        *(["MUID=?"] if cookies.device_doubt else []),
        *([f"ANON=A={cookies.anon_id}"] if cookies.anon_id else []),
        *(["ANON=?"] if cookies.anon_opt_out else []),
        *(f"CC={country}" for country in cookies.countries),
        *(f"NAP={nap}" for nap in cookies.naps),
    ]
    return "; ".join(pairs)


def _record_changes(situation: Situation, subject: Subject, *, is_first: bool) -> Iterator[Change]:
    records = situation.records_of(subject)
    whose = "the account" if subject.kind is SubjectKind.ACCOUNT else "the browser or device"
    if not is_first and subject.kind is SubjectKind.ACCOUNT:
        whose = "the linked account"
    if subject.kind is SubjectKind.DEVICE and situation.request.identity.device_id not in {"", subject.id}:
        whose = "the browser of the MUID cookie"
    preference = _preference(records)
    if preference is None or preference.choice is not Choice.OPT_IN:
        yield Change(f"{whose} opts in", partial(_with_record, subject, _opted_in))
    if preference is not None and preference.birth_day is not None:
        yield Change(f"no birth date is stored for {whose}", partial(_with_record, subject, _without_birth_date))
    if is_first and not _has_profile(records):
        yield Change(f"something is known about {whose}", partial(_with_record, subject, _with_profile))


def _with_record(subject: Subject, edit: Callable[[StoredRecords], StoredRecords], situation: Situation) -> Situation:
    return situation._replace(records={**situation.records, subject: edit(situation.records_of(subject))})


def _preference(records: StoredRecords) -> Preference | None:
    try:
        return None if records.preference is None else decode_preference(records.preference, records.owner)
    except RecordUnreadable:
        return None


def _opted_in(records: StoredRecords) -> StoredRecords:
    preference = (_preference(records) or Preference())._replace(choice=Choice.OPT_IN)
    return records._replace(preference=encode_preference(preference, records.owner))


def _without_birth_date(records: StoredRecords) -> StoredRecords:
    preference = (_preference(records) or Preference())._replace(birth_day=None)
    return records._replace(preference=encode_preference(preference, records.owner))


def _has_profile(records: StoredRecords) -> bool:
    try:
        return records.profile is not None and bool(read_profile(records.profile, records.owner))
    except RecordUnreadable:
        return False


def _with_profile(records: StoredRecords) -> StoredRecords:
    """Add a profile, and beside it the preference record without which it would count as lost."""
    preference = encode_preference(_preference(records) or Preference(), records.owner)
    return records._replace(
        preference=records.preference or preference, profile=encode_profile(Profile(), records.owner)
    )


def _identified(situation: Situation) -> Situation:
    known = _with_profile(StoredRecords(_ANY_SUBJECT.kind, bytes(16)))
    request = situation.request._replace(identity=Identity(_ANY_SUBJECT.id))
    return situation._replace(request=request, records={_ANY_SUBJECT: known})
