"""The status names a cause for every reason that a decision may have."""

import pytest

from server.web.choice.status import BECAUSE, BY_THE_BROWSER, NOT_LIMITS
from server.web.texts import LANGUAGES, texts_of
from targeting.reasons import Reason


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.name)
def test_every_reason_has_a_sentence_or_is_none_of_the_visitors_choices(reason: Reason) -> None:
    assert [reason.name in BECAUSE, reason.name in NOT_LIMITS, reason.name == BY_THE_BROWSER].count(True) == 1


def test_no_sentence_is_for_a_reason_that_does_not_exist() -> None:
    assert {*BECAUSE, *NOT_LIMITS, BY_THE_BROWSER} == {reason.name for reason in Reason}


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_sentence_is_translated(language: str) -> None:
    texts = texts_of(language)
    assert [each for each in BECAUSE.values() if texts.say(each) == each] == []
