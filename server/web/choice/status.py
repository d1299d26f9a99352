"""The status: whether ads are based on what is known, since when, and why, in sentences.

Invariant: a visitor without an account learns nothing from it that is held about anyone.
"""

from typing import Final, NamedTuple

from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import targeting_pb2 as pb

from server.web.choice.facts import Facts
from server.web.texts import Texts, mark

_SAFEGUARD: Final = mark("A safeguard applies to this browser.")
_UNAVAILABLE: Final = mark("We cannot look up your choices at the moment, so we act as if you had opted out.")
_UNREADABLE: Final = mark("A privacy signal cannot be read. In doubt, we take it as an opt-out.")

BECAUSE: Final = {
    "CHILD_DIRECTED": mark("This service is made for children."),
    "APP_OPT_OUT": mark("The privacy switch of your app is set."),
    "COOKIE_OPT_OUT": mark("This browser holds an opt-out cookie."),
    "INDUSTRY_OPT_OUT": mark("You opted out at an industry page."),
    "DO_NOT_TRACK": mark("Your browser sends Do Not Track."),
    "LIMIT_AD_TRACKING": mark("Your device limits ad tracking."),
    "GPP_OPT_OUT": mark("A consent tool told us that you opted out."),
    "US_PRIVACY_OPT_OUT": mark("A consent tool told us that you opted out."),
    "SIGNAL_UNREADABLE": _UNREADABLE,
    "ACCOUNT_OPT_OUT": mark("An account that is linked to this one is opted out."),
    "DEVICE_OPT_OUT": mark("This browser is opted out."),
    "UNDER_AGE": mark("By the age that we know, what we know may not be used."),
    "PREFERENCE_LOST": mark("We may have lost a choice of yours, so we act as if you had opted out. Choose again."),
    "RECORD_UNREADABLE": mark("What we stored cannot be read, so we act as if you had opted out. Choose again."),
    "STORE_TIMEOUT": _UNAVAILABLE,
    "STORE_UNAVAILABLE": _UNAVAILABLE,
    "OPT_IN_REQUIRED": mark("Where you are, it takes your explicit opt-in."),
}
"""Why ads are limited, by reason; for the reasons that limit the whole decision."""

NOT_LIMITS: Final = frozenset({"TCF_NO_CONSENT", "NO_PROFILE", "NO_SUBJECT", "NETWORK_UNKNOWN", "NETWORK_POLICY"})
"""Reasons that say nothing of a choice: each site asks for consent by itself."""

BY_THE_BROWSER: Final = "GLOBAL_PRIVACY_CONTROL"
"""The reason with a sentence of its own at the head of the page, in the words that the law asks for."""

_FROM_THE_STORE: Final = frozenset({"ACCOUNT_OPT_OUT", "UNDER_AGE", "PREFERENCE_LOST", "RECORD_UNREADABLE"})

_OF_ACCOUNT: Final = {
    pref.SOURCE_GPC: mark("Your browser sent Global Privacy Control, so your account was opted out."),
    pref.SOURCE_INDUSTRY_PAGE: mark("You opted out at an industry page, so your account was opted out."),
    pref.SOURCE_GUARDIAN: mark("A parent or guardian made this choice for your account."),
    pref.SOURCE_SUPPORT: mark("Our support made this choice for your account, as you asked."),
}
_OF_BROWSER: Final = {
    pref.SOURCE_GPC: mark("This browser sent Global Privacy Control, and we remember it."),
    pref.SOURCE_INDUSTRY_PAGE: mark("You opted out at an industry page, so this browser was opted out."),
}
_BY_YOU_ACCOUNT: Final = mark("You made this choice for your account.")
_BY_YOU_BROWSER: Final = mark("You made this choice for this browser.")


class Status(NamedTuple):
    """What the page says first. ``honours_gpc``: the browser sends Global Privacy Control right now."""

    headline: str
    sentences: tuple[str, ...]
    limited: bool
    honours_gpc: bool


def status_of(facts: Facts, texts: Texts) -> Status:
    """Say whether ads are based on what is known about this visitor."""
    sentences = [*_stored(facts, pref.CHOICE_OPT_OUT), *_other_reasons(facts)]
    gpc = facts.visit.global_privacy_control
    limited = bool(sentences) or gpc
    if not limited:
        sentences = _stored(facts, pref.CHOICE_OPT_IN) or [mark("You have not made a choice.")]
        if "TCF_NO_CONSENT" in reasons_of(facts):
            sentences.append(mark("Where the GDPR applies, your answer to each site's consent banner counts as well."))
    said = tuple(texts.say(each) for each in dict.fromkeys(sentences))
    return Status(_headline(facts, texts, limited=limited), said, limited, gpc)


def reasons_of(facts: Facts) -> list[str]:
    """Name the reasons of the decision, without their prefix."""
    return [pb.Reason.Name(reason).removeprefix("REASON_") for reason in facts.decision.reasons]


def _headline(facts: Facts, texts: Texts, *, limited: bool) -> str:
    wanted = pref.CHOICE_OPT_OUT if limited else pref.CHOICE_OPT_IN
    records = [each for each in (facts.account, facts.browser) if each and each.choice == wanted]
    date = texts.day_at(records[0].changed_at.seconds) if records else ""
    if limited and date:
        return texts.say("Ads you see here are not based on what we know about you, since %(date)s.", date=date)
    if limited:
        return texts.say("Ads you see here are not based on what we know about you.")
    if date:
        return texts.say("Ads you see here may be based on what we know about you, since %(date)s.", date=date)
    return texts.say("Ads you see here may be based on what we know about you.")


def _stored(facts: Facts, choice: int) -> list[str]:
    """Say who made the stored choices."""
    said = []
    if facts.account and facts.account.choice == choice:
        said.append(_OF_ACCOUNT.get(facts.account.source, _BY_YOU_ACCOUNT))
    if facts.browser and facts.browser.choice == choice:
        said.append(_OF_BROWSER.get(facts.browser.source, _BY_YOU_BROWSER))
    return said


def _other_reasons(facts: Facts) -> list[str]:
    opted_out = pref.CHOICE_OPT_OUT
    known = {BY_THE_BROWSER} | NOT_LIMITS
    known |= {"ACCOUNT_OPT_OUT"} if facts.account and facts.account.choice == opted_out else set()
    known |= {"DEVICE_OPT_OUT"} if facts.browser and facts.browser.choice == opted_out else set()
    # A browser's choice is kept by its cookie as well; one of the two is enough to say.
    known |= {"COOKIE_OPT_OUT"} if "DEVICE_OPT_OUT" in known else set()
    names = [name for name in reasons_of(facts) if name not in known]
    if facts.outage:
        names.append("STORE_UNAVAILABLE")
    elif facts.account is None or facts.browser is None:
        names.append("RECORD_UNREADABLE")
    hides = not facts.visit.has_account
    return [_SAFEGUARD if hides and name in _FROM_THE_STORE else BECAUSE[name] for name in names]
