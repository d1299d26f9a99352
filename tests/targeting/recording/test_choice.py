"""From choices to preference records."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from targeting.policy.policy import OptOutPolicy
from targeting.recording.choice import ChoiceMade, apply_choice, change_key, made_before, opt_out_cookie
from targeting.records.preference import MAX_HISTORY, Choice, Preference, Source

CHOICES = st.sampled_from([Choice.OPT_OUT, Choice.OPT_IN])


def made(choice: Choice, key: bytes = bytes(8), at_ms: int = 1, **more: Any) -> ChoiceMade:
    return ChoiceMade(choice=choice, source=Source.ACCOUNT_PAGE, change_key=key, made_at_ms=at_ms)._replace(**more)


@given(st.lists(CHOICES, min_size=1, max_size=50))
def test_the_last_choice_counts_and_the_history_is_newest_first(choices: list[Choice]) -> None:
    record = Preference()
    for number, choice in enumerate(choices):
        record = apply_choice(record, made(choice, number.to_bytes(8, "big"), number))
    assert record.choice is choices[-1]
    assert record.version == len(choices)
    assert [change.choice for change in record.history] == choices[::-1][:MAX_HISTORY]
    assert [change.version for change in record.history] == list(range(len(choices), 0, -1))[:MAX_HISTORY]


def test_what_is_not_given_stays() -> None:
    first = apply_choice(Preference(), made(Choice.OPT_IN, country="US", language="en", birth_day=100))
    second = apply_choice(first, made(Choice.OPT_OUT))
    assert (second.country, second.language, second.birth_day) == ("US", "en", 100)
    third = apply_choice(second, made(Choice.OPT_IN, country="FR", language="fr", birth_day=200))
    assert (third.country, third.language, third.birth_day) == ("FR", "fr", 200)


def test_a_change_is_known_again_by_its_key_alone() -> None:
    key, other = change_key("change-1", bytes(16)), change_key("change-2", bytes(16))
    record = apply_choice(apply_choice(Preference(), made(Choice.OPT_OUT, key)), made(Choice.OPT_IN, other))
    earlier = made_before(record, key)
    assert earlier is not None
    assert (earlier.version, earlier.choice) == (1, Choice.OPT_OUT)
    assert made_before(record, bytes(8)) is None
    assert change_key("change-1", bytes(range(16))) != key


def test_the_cookie_of_an_opt_out_lasts_five_years() -> None:
    line = opt_out_cookie(Choice.OPT_OUT, of_browser=True, policy=OptOutPolicy())
    assert line == "TOptOut=1; Path=/; Max-Age=157766400; Secure; SameSite=None"


def test_a_browsers_opt_in_removes_the_cookie_and_an_accounts_does_not() -> None:
    policy = OptOutPolicy(cookie_domain="ads.example.com")
    removal = "TOptOut=; Path=/; Max-Age=0; Domain=ads.example.com; Secure; SameSite=None"
    assert opt_out_cookie(Choice.OPT_IN, of_browser=True, policy=policy) == removal
    assert opt_out_cookie(Choice.OPT_IN, of_browser=False, policy=policy) == ""
