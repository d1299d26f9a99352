"""From choices to preference records."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from targeting.model import SubjectKind
from targeting.policy.policy import OptOutPolicy
from targeting.recording.choice import (
    AppliedChoice,
    ChangeIdReused,
    ChoiceMade,
    apply_choice,
    apply_once,
    change_key,
    made_before,
    opt_out_cookie,
    read_current_choice,
)
from targeting.records.envelope import RecordUnreadable, seal
from targeting.records.preference import Choice, Preference, Source, encode_preference
from targeting.records.stored_records import StoredRecords

CHOICES = st.sampled_from([Choice.OPT_OUT, Choice.OPT_IN])


def made(choice: Choice, key: bytes = bytes(8), at_ms: int = 1, **more: Any) -> ChoiceMade:
    return ChoiceMade(choice=choice, source=Source.ACCOUNT_PAGE, change_key=key, made_at_ms=at_ms)._replace(**more)


@example([Choice.OPT_OUT] * 33)
@given(st.lists(CHOICES, min_size=1, max_size=50))
def test_the_last_choice_counts_and_the_history_is_newest_first(choices: list[Choice]) -> None:
    record = Preference()
    for number, choice in enumerate(choices):
        record = apply_choice(record, made(choice, number.to_bytes(8, "big"), number))
    assert record.choice is choices[-1]
    assert record.version == len(choices)
    assert [change.choice for change in record.history] == choices[::-1][:32]
    assert [change.version for change in record.history] == list(range(len(choices), 0, -1))[:32]


def test_before_the_first_choice_nothing_is_stated_and_nothing_expires() -> None:
    assert Preference() == (Choice.NONE, Source.UNSTATED, 0, 0, "", "", None, (), 0)


def test_what_is_not_given_stays() -> None:
    first = apply_choice(Preference(), made(Choice.OPT_IN, country="US", language="en", birth_day=100))
    second = apply_choice(first, made(Choice.OPT_OUT))
    assert (second.country, second.language, second.birth_day) == ("US", "en", 100)
    third = apply_choice(second, made(Choice.OPT_IN, country="FR", language="fr", birth_day=200))
    assert (third.country, third.language, third.birth_day) == ("FR", "fr", 200)


def test_a_choice_is_for_good_also_upon_a_record_that_expires() -> None:
    assert apply_choice(Preference(expires_s=1), made(Choice.OPT_OUT)).expires_s == 0


def test_a_change_is_known_again_by_its_key_alone() -> None:
    key, other = change_key("change-1", bytes(16)), change_key("change-2", bytes(16))
    record = apply_choice(apply_choice(Preference(), made(Choice.OPT_OUT, key)), made(Choice.OPT_IN, other))
    earlier = made_before(record, key)
    assert earlier is not None
    assert (earlier.version, earlier.choice) == (1, Choice.OPT_OUT)
    assert made_before(record, bytes(8)) is None
    assert change_key("change-1", bytes(range(16))) != key


def test_the_cookie_of_an_opt_out_lasts_as_long_as_browsers_keep_cookies() -> None:
    line = opt_out_cookie(Choice.OPT_OUT, Choice.OPT_OUT, of_browser=True, policy=OptOutPolicy())
    assert line == "TOptOut=1; Path=/; Max-Age=34560000; Secure; SameSite=None"


OUT, IN = Choice.OPT_OUT, Choice.OPT_IN
REMOVAL = "TOptOut=; Path=/; Max-Age=0; Domain=ads.example.com; Secure; SameSite=None"
COOKIES = {
    "a browser's opt-in removes it": (IN, IN, True, REMOVAL),
    "an account's does not": (IN, IN, False, ""),
    "nor does a late repeat, with an opt-out stored since": (IN, OUT, True, ""),
}


@pytest.mark.parametrize(("chosen", "current", "of_browser", "line"), COOKIES.values(), ids=COOKIES)
def test_an_opt_in_and_the_cookie(chosen: Choice, current: Choice, of_browser: bool, line: str) -> None:
    policy = OptOutPolicy(cookie_domain="ads.example.com")
    assert opt_out_cookie(chosen, current, of_browser=of_browser, policy=policy) == line


KEY, OTHER = b"the same", b"another."
REPEATS = {
    "the first": ([], made(OUT, KEY), 1, False),
    "a second": ([made(OUT, OTHER)], made(OUT, KEY), 2, False),
    "a repeat": ([made(OUT, KEY)], made(OUT, KEY), 1, True),
    "a repeat after another": ([made(OUT, KEY), made(IN, OTHER)], made(OUT, KEY), 1, True),
}


@pytest.mark.parametrize(("earlier", "choice", "version", "is_repeat"), REPEATS.values(), ids=REPEATS)
def test_a_choice_is_applied_once(earlier: list[ChoiceMade], choice: ChoiceMade, version: int, is_repeat: bool) -> None:
    current = Preference()
    for each in earlier:
        current = apply_choice(current, each)
    applied = apply_once(current, choice)
    assert isinstance(applied, AppliedChoice)
    assert (applied.version, applied.is_repeat) == (version, is_repeat)
    assert applied.preference == (current if is_repeat else apply_choice(current, choice))


def test_one_id_never_stands_for_the_opposite_choice() -> None:
    assert apply_once(apply_choice(Preference(), made(IN, KEY)), made(OUT, KEY)) == ChangeIdReused()


OWNER = bytes(range(16))
NEWER = seal(b"aP", 3, OWNER, b"what this version does not know")
STORED = {
    "none": (None, True, False),
    "readable": (encode_preference(Preference(choice=OUT, version=3), OWNER), True, False),
    "of a newer version": (NEWER, False, True),
    "spoilt": (b"\0", False, False),
}


@pytest.mark.parametrize(("value", "is_readable", "is_newer"), STORED.values(), ids=STORED)
def test_which_records_a_choice_may_replace(value: bytes | None, is_readable: bool, is_newer: bool) -> None:
    records = StoredRecords(SubjectKind.ACCOUNT, OWNER, value)
    if not is_readable:
        with pytest.raises(RecordUnreadable):
            read_current_choice(records, replaces_unreadable=False)
    current = read_current_choice(records, replaces_unreadable=True)
    assert current.is_newer is is_newer
    assert current.may_become(Preference(choice=OUT))
    assert current.may_become(Preference(choice=IN)) is not is_newer
