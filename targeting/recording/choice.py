"""From a choice to the preference record that holds it.

A change is applied once, however often it is sent. Nothing but an explicit choice of the same subject lifts an
opt-out.
"""

import hashlib
from typing import NamedTuple

from targeting.age import is_under, person_day
from targeting.policy.policy import OptOutPolicy, Policy
from targeting.records.preference import MAX_HISTORY, Choice, Preference, PreferenceChange, Source

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


def change_key(change_id: str, owner: bytes) -> bytes:
    """Give the eight bytes by which a change is known again; they say nothing of the caller's id."""
    return hashlib.blake2b(change_id.encode(), digest_size=_KEY_BYTES, key=owner).digest()


def made_before(held: Preference, key: bytes) -> PreferenceChange | None:
    """Find a change that was applied already."""
    return next((change for change in held.history if change.change_key == key), None)


def apply_choice(held: Preference, made: ChoiceMade) -> Preference:
    """Give the record after the choice."""
    version = held.version + 1
    change = PreferenceChange(
        version=version,
        choice=made.choice,
        source=made.source,
        changed_at_ms=made.made_at_ms,
        change_key=made.change_key,
    )
    return Preference(
        choice=made.choice,
        source=made.source,
        changed_at_ms=made.made_at_ms,
        version=version,
        country=made.country or held.country,
        language=made.language or held.language,
        birth_day=held.birth_day if made.birth_day is None else made.birth_day,
        history=(change, *held.history)[:MAX_HISTORY],
    )


def is_child(preference: Preference, policy: Policy, now_s: float, declared_country: str = "") -> bool:
    """Tell whether this is a child, by the record's country or by one declared with it: the stricter counts."""
    age = policy.children.age_in(preference.country)
    if declared_country:
        age = max(age, policy.children.age_in(declared_country))
    return preference.birth_day is not None and is_under(preference.birth_day, age, person_day(now_s))


def erases(preference: Preference, policy: Policy, now_s: float) -> bool:
    """Tell whether no profile may be kept beside this record: the policy erases, and it opts out or is a child's."""
    if policy.opt_out.on_opt_out != "erase":
        return False
    return preference.choice is Choice.OPT_OUT or is_child(preference, policy, now_s)


def opt_out_cookie(choice: Choice, *, of_browser: bool, policy: OptOutPolicy) -> str:
    """Give the ``Set-Cookie`` line (RFC 6265, section 4.1) that carries the choice to a browser.

    Only a browser's own opt-in removes the cookie: an account's says nothing of the choice made for this browser.
    """
    if choice is Choice.OPT_OUT:
        value, life_s = "1", policy.cookie_days * 86_400
    elif of_browser:
        value, life_s = "", 0
    else:
        return ""
    domain = f"; Domain={policy.cookie_domain}" if policy.cookie_domain else ""
    # The ad server is a third party on most pages, so the cookie must be sent across sites.
    return f"TOptOut={value}; Path=/; Max-Age={life_s}{domain}; Secure; SameSite=None"
