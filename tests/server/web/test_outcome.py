"""Outcomes in words: receipts that are not confirmed yet, doubt, and faults of ours."""

import logging
from pathlib import Path

import pytest

from server.errors import InvalidRequest, NotAllowed
from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreTimeout, StoreUnavailable
from server.web.choice.outcome import failure
from server.web.texts import texts_of
from tests.server.web.site import Visitor, running_site


@pytest.mark.parametrize(
    ("problem", "status", "sentence"),
    [
        (StoreUnavailable("down"), 503, "Nothing was changed: we cannot reach what we store at the moment."),
        (StoreTimeout("late"), 503, "We could not store this in time. Please look at the status below"),
        (NotAllowed("no"), 409, "Nothing was changed: your choice, your age, or what is stored forbids it."),
        (InvalidRequest("declared.country", "unknown"), 400, "The country cannot be taken."),
        (ValueError("alice"), 500, "Nothing was changed: something went wrong on our side."),
    ],
)
def test_a_failure_is_said_in_words_and_shows_no_value(
    problem: Exception, status: int, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outcome = failure(problem, texts_of("en"))
    assert (outcome.status, outcome.is_done) == (status, False)
    assert sentence in " ".join(outcome.sentences)
    assert "alice" not in caplog.text + " ".join(outcome.sentences)


def test_an_unforeseen_fault_is_quoted_by_an_opaque_id(caplog: pytest.LogCaptureFixture) -> None:
    *_, quoted = failure(ValueError("alice"), texts_of("en")).sentences
    assert quoted.startswith("Please quote to support: ")
    assert quoted.rpartition(" ")[2] in caplog.text


def test_a_choice_that_is_not_confirmed_yet_says_so(tmp_path: Path) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        running_site(tmp_path / "data", redis_url=redis.url, replicas=1, write_budget_ms=500) as site,
    ):
        answer = Visitor(site, "alice").choose("account", "opt-out")
        assert answer.status == 200
        assert (
            "You are opted out Not yet confirmed: it is in force, but so far only one server holds it." in answer.words
        )


def test_the_operators_links_are_shown(tmp_path: Path) -> None:
    links = tmp_path / "links.toml"
    links.write_text('sign_in = "https://shop.example/in"\nstatement = "https://shop.example/privacy"\n')
    with running_site(tmp_path / "data", web_links=str(links)) as site:
        text = Visitor(site).get().text
        assert 'href="https://shop.example/in"' in text
        assert 'href="https://shop.example/privacy"' in text
        assert "optout.aboutads.info" not in text
