"""From a choice to the preference record that holds it.

A change is applied once, however often it is sent. Nothing but an explicit choice of the same subject lifts an
opt-out. This module reads no profile.
"""

import hashlib
from typing import NamedTuple

from targeting.age import is_under, person_day
from targeting.policy.policy import OptOutPolicy, Policy
from targeting.records.envelope import RecordNewer, RecordUnreadable
from targeting.records.preference import (
    MAX_HISTORY,
    Choice,
    Preference,
    PreferenceChange,
    Source,
    decode_preference,
)
from targeting.records.stored_records import StoredRecords

_KEY_BYTES = 8


class ChoiceMade(NamedTuple):
    """A choice, and what came with it. Empty strings and None leave what is stored."""

    choice: Choice
    source: Source
    change_key: bytes
    made_at_ms: int
    country: str = ""
    language: str = ""
    birth_day: int | None = None
    actor: str = ""
    """Name of the client that makes it."""
    ticket: str = ""
    """The client's reference to why."""


class AppliedChoice(NamedTuple):
    """The record after a choice. ``version`` is the one that holds the choice; a repeat leaves the record unchanged."""

    preference: Preference
    version: int
    is_repeat: bool = False


class ChangeIdReused(NamedTuple):
    """A refusal: the change id already stands for the opposite choice, so this one would not be stored."""


class CurrentChoice(NamedTuple):
    """The record that a choice is added to. ``is_newer``: a newer version of the service wrote the stored one."""

    preference: Preference
    is_newer: bool = False

    def may_become(self, preference: Preference) -> bool:
        """Whether this record may replace the stored one.

        A newer version may have stored what must not be lost, such as a child's birth date: only an opt-out may
        replace its record.
        """
        return not self.is_newer or preference.choice is Choice.OPT_OUT


def change_key(change_id: str, owner: bytes) -> bytes:
    """Return the eight bytes that identify a change; they reveal nothing of the caller's id."""
    return hashlib.blake2b(change_id.encode(), digest_size=_KEY_BYTES, key=owner).digest()


def made_before(current: Preference, key: bytes) -> PreferenceChange | None:
    """Find a change that was applied already."""
    return next((change for change in current.history if change.change_key == key), None)


def read_current_choice(records: StoredRecords, *, replaces_unreadable: bool) -> CurrentChoice:
    """Read the record that a choice is added to.

    Raises ``RecordUnreadable``, unless ``replaces_unreadable``: an explicit choice of the person may replace a record
    that cannot be read; a signal may not.
    """
    if records.preference is None:
        return CurrentChoice(Preference())
    try:
        return CurrentChoice(decode_preference(records.preference, records.owner))
    except RecordUnreadable as problem:
        if not replaces_unreadable:
            raise
        return CurrentChoice(Preference(), is_newer=isinstance(problem, RecordNewer))


def apply_once(current: Preference, made: ChoiceMade) -> AppliedChoice | ChangeIdReused:
    """Apply a choice unless it was applied before.

    A repeat gets the record as it is: storing that again changes nothing, and shows how many replicas hold it.
    """
    earlier = made_before(current, made.change_key)
    if earlier is None:
        preference = apply_choice(current, made)
        return AppliedChoice(preference, preference.version)
    if earlier.choice != made.choice:
        return ChangeIdReused()
    return AppliedChoice(current, earlier.version, is_repeat=True)


def apply_choice(current: Preference, made: ChoiceMade) -> Preference:
    """Return the record after the choice."""
    version = current.version + 1
    change = PreferenceChange(
        version=version,
        choice=made.choice,
        source=made.source,
        changed_at_ms=made.made_at_ms,
        change_key=made.change_key,
        actor=made.actor,
        ticket=made.ticket,
    )
    return Preference(
        choice=made.choice,
        source=made.source,
        changed_at_ms=made.made_at_ms,
        version=version,
        country=made.country or current.country,
        language=made.language or current.language,
        birth_day=current.birth_day if made.birth_day is None else made.birth_day,
        history=(change, *current.history)[:MAX_HISTORY],
    )


def is_child(preference: Preference, policy: Policy, now_s: float, declared_country: str = "") -> bool:
    """Whether this is a child, by the record's country or by one declared with it: the stricter counts."""
    age = policy.children.age_in(preference.country)
    if declared_country:
        age = max(age, policy.children.age_in(declared_country))
    return preference.birth_day is not None and is_under(preference.birth_day, age, person_day(now_s))


def erases(preference: Preference, policy: Policy, now_s: float) -> bool:
    """Whether no profile may be kept beside this record: the policy erases, and it opts out or is a child's."""
    if policy.opt_out.on_opt_out != "erase":
        return False
    return preference.choice is Choice.OPT_OUT or is_child(preference, policy, now_s)


def opt_out_cookie(made: Choice, current: Choice, *, of_browser: bool, policy: OptOutPolicy) -> str:
    """Return the ``Set-Cookie`` line (RFC 6265, section 4.1) that carries a choice to a browser; empty: none.

    Only a browser's own opt-in removes the cookie: an account's says nothing of the choice made for this browser. The
    late repeat of an opt-in, with an opt-out stored since (``current``), removes nothing.
    """
    if made is Choice.OPT_OUT:
        value, life_s = "1", policy.cookie_days * 86_400
    elif of_browser and current is not Choice.OPT_OUT:
        value, life_s = "", 0
    else:
        return ""
    domain = f"; Domain={policy.cookie_domain}" if policy.cookie_domain else ""
    # The ad server is a third party on most pages, so the cookie must be sent across sites.
    return f"TOptOut={value}; Path=/; Max-Age={life_s}{domain}; Secure; SameSite=None"
