"""What is held about a person, in words: declared data, interests, calls, ads seen, the history of choices."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final, NamedTuple, TypeVar

from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof

from server.web.choice.facts import Facts
from server.web.choice.partners import GENDERS, interest_name
from server.web.texts import Texts, mark

MOST_SHOWN: Final = 10
"""Rows of each list on the page; the download has them all."""

CHOICES: Final = {pref.CHOICE_OPT_OUT: mark("Opted out"), pref.CHOICE_OPT_IN: mark("Opted in")}
SOURCES: Final = {
    pref.SOURCE_UNSPECIFIED: mark("not stated"),
    pref.SOURCE_ACCOUNT_PAGE: mark("account page"),
    pref.SOURCE_CLIENT_SETTING: mark("app setting"),
    pref.SOURCE_BROWSER: mark("browser page"),
    pref.SOURCE_INDUSTRY_PAGE: mark("industry page"),
    pref.SOURCE_GPC: mark("Global Privacy Control"),
    pref.SOURCE_GUARDIAN: mark("parent or guardian"),
    pref.SOURCE_SUPPORT: mark("support"),
}
_STRENGTHS: Final = (
    (0.75, mark("very strong")),
    (0.5, mark("strong")),
    (0.25, mark("some")),
    (0.0, mark("slight")),
)

T = TypeVar("T")


class Declared(NamedTuple):
    """One declared attribute: the field's name in the form, its label, its value in the form and in words."""

    field: str
    label: str
    value: str
    shown: str


class Lines(NamedTuple):
    """A list as the page shows it: the heads of its columns, the first rows, and how many more there are."""

    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    more: str


class Held(NamedTuple):
    """Everything held about the person; lists without rows are not shown."""

    declared: tuple[Declared, ...]
    lists: dict[str, Lines]
    history: Lines
    until: str
    frozen: bool

    @property
    def nothing(self) -> bool:
        """Whether no profile is held."""
        return not (self.until or any(each.value for each in self.declared))


def held_of(facts: Facts, texts: Texts) -> Held | None:
    """Return what is held about the account; None where there is no account, or the store does not answer."""
    profile = facts.profile
    if profile is None:
        return None
    total = sum(each.weight for each in profile.call_destinations)
    return Held(
        declared=tuple(_declared(profile.declared, texts)),
        lists={
            texts.say("Interests"): _lines(
                (texts.say("Interest"), texts.say("How strong"), texts.say("Last seen")),
                sorted(profile.interests, key=lambda each: -each.score),
                lambda each: (interest_name(each.segment_id), _strength(each.score, texts), _updated(each, texts)),
                texts,
            ),
            texts.say("Calls by country"): _lines(
                (texts.say("Country"), texts.say("Share"), texts.say("Last seen")),
                sorted(profile.call_destinations, key=lambda each: -each.weight),
                lambda each: (texts.country(each.country), texts.percent(each.weight / total), _updated(each, texts)),
                texts,
            ),
            texts.say("Ads seen"): _lines(
                (texts.say("Ad"), texts.say("How often"), texts.say("Last seen")),
                sorted(profile.exposures, key=lambda each: -each.last_seen_at.seconds),
                lambda each: (each.ad_id, texts.number(each.count), texts.day_at(each.last_seen_at.seconds)),
                texts,
            ),
        },
        history=Lines(
            (texts.say("When"), texts.say("Choice"), texts.say("Where"), texts.say("Version")),
            [_change(each, texts) for each in profile.preferences.history],
            "",
        ),
        until=texts.day_at(profile.expires_at.seconds) if profile.profile_held and profile.version else "",
        frozen=profile.preferences.choice == pref.CHOICE_OPT_OUT,
    )


def _lines(heads: tuple[str, ...], items: Sequence[T], row: Callable[[T], tuple[str, ...]], texts: Texts) -> Lines:
    more = len(items) - MOST_SHOWN
    said = texts.plural("%(number)s more is in the download.", "%(number)s more are in the download.", more)
    return Lines(heads, [row(item) for item in items[:MOST_SHOWN]], said if more > 0 else "")


def _declared(declared: prof.DeclaredAttributes, texts: Texts) -> list[Declared]:
    born, gender = declared.birth_date, GENDERS.get(declared.gender)
    birth_date = date(born.year, born.month, born.day) if declared.HasField("birth_date") else None
    country, language = declared.country, declared.language
    return [
        Declared("birth_date", texts.say("Birth date"), *_written(birth_date, texts)),
        Declared("gender", texts.say("Gender"), str(declared.gender or ""), texts.say(gender) if gender else ""),
        Declared("occupation", texts.say("Occupation"), declared.occupation, declared.occupation),
        Declared("postal_code", texts.say("Postal code"), declared.postal_code, declared.postal_code),
        Declared("country", texts.say("Country"), country, texts.country(country) if country else ""),
        Declared("language", texts.say("Language"), language, texts.language(language) if language else ""),
    ]


def _written(day: date | None, texts: Texts) -> tuple[str, str]:
    return (day.isoformat(), texts.day(day)) if day else ("", "")


def _strength(score: float, texts: Texts) -> str:
    word = next(word for least, word in _STRENGTHS if score >= least)
    return f"{texts.say(word)} ({texts.percent(min(score, 1.0))})"


def _updated(held: prof.StoredInterest | prof.StoredCallDestination, texts: Texts) -> str:
    return texts.day_at(held.updated_at.seconds)


def _change(change: pref.PreferenceChange, texts: Texts) -> tuple[str, ...]:
    return (
        texts.moment(change.changed_at.seconds),
        texts.say(CHOICES[change.choice]),
        texts.say(SOURCES.get(change.source, SOURCES[pref.SOURCE_UNSPECIFIED])),
        texts.number(change.version),
    )
