"""Outcomes in words: receipts that are not confirmed yet, doubt, and faults of ours."""

import logging
from pathlib import Path

import pytest
from adtargeting.v1 import preference_pb2 as pref

from server.errors import InvalidRequest, NotAllowed
from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreTimeout, StoreUnavailable
from server.web.choice.outcome import failure, stored_choice
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
        sentence = "Not yet confirmed: it is in force, but not enough servers hold it yet. We keep checking."
        assert f"You are opted out {sentence}" in answer.words


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ([], "Confirmed: it is stored safely."),
        ([pref.CONFIRMATION_DISK], "Not yet confirmed: it is in force, but not yet written to a disk."),
        ([pref.CONFIRMATION_REPLICAS], "Not yet confirmed: it is in force, but not enough servers hold it yet."),
        ([pref.CONFIRMATION_DISK, pref.CONFIRMATION_REPLICAS], "but not enough servers hold it yet."),
    ],
    ids=["nothing", "the disk", "replicas", "both"],
)
def test_a_receipt_says_what_is_missing(missing: list[pref.Confirmation], sentence: str) -> None:
    durability = pref.DURABILITY_UNCONFIRMED if missing else pref.DURABILITY_CONFIRMED
    answer = pref.SetPreferenceResponse(version=1, durability=durability, missing_confirmations=missing)
    after = pref.GetPreferencesResponse(version=1, choice=pref.CHOICE_OPT_OUT)
    assert sentence in stored_choice(answer, after, "CODE", texts_of("en")).sentences[0]


def test_the_operators_links_are_shown(tmp_path: Path) -> None:
    links = tmp_path / "links.toml"
    links.write_text('sign_in = "https://shop.example/in"\nstatement = "https://shop.example/privacy"\n')
    with running_site(tmp_path / "data", web_links=str(links)) as site:
        text = Visitor(site).get().text
        assert 'href="https://shop.example/in"' in text
        assert 'href="https://shop.example/privacy"' in text
        assert "optout.aboutads.info" not in text
