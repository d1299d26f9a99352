"""``opt-out``, ``opt-in``, ``activity`` and ``profile``: a choice and what is stored."""

import json
from pathlib import Path

import pytest
from adtargeting.v1 import preference_pb2, profile_pb2
from google.protobuf.json_format import Parse

from server.app import Service
from server.store.embedded.server import EmbeddedRedis
from tests.server.cli.conftest import Adt
from tests.server.running_service import settings

US = ("--country", "US")


def reasons(adt: Adt, *argv: str) -> list[str]:
    decision = json.loads(adt("decide", *US, *argv, "--json").out)
    return [reason.removeprefix("REASON_") for reason in decision["reasons"]]


def test_an_account_opts_out_and_in_again(served: Adt) -> None:
    out = served("opt-out", "--account", "carol", "--source", "account-page", "--change-id", "c1")
    assert out.status == 0
    assert "opt out: stored as version 1, CONFIRMED" in out.out
    assert "Set-Cookie: TOptOut=1; " in out.out
    assert reasons(served, "--account", "carol") == ["ACCOUNT_OPT_OUT"]
    assert "stored as version 1" in served("opt-out", "--account", "carol", "--change-id", "c1").out
    back = served("opt-in", "--account", "carol")
    assert "opt in: stored as version 2" in back.out
    assert "Set-Cookie" not in back.out
    assert reasons(served, "--account", "carol") == ["NO_PROFILE"]


def test_an_unconfirmed_choice_says_what_is_missing(adt: Adt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        Service(settings(tmp_path, redis_url=redis.url, replicas=1, write_budget_ms=500)) as alone,
    ):
        monkeypatch.setenv("ADTARGETING_GRPC_ADDRESS", alone.address)
        out = adt("opt-out", "--account", "carol").out
    assert "stored as version 1, UNCONFIRMED (0 replicas)" in out
    assert "Not confirmed in time by: replicas" in out


def test_a_browser_opts_out(served: Adt) -> None:
    receipt = Parse(served("opt-out", "--device", "d1", "--json").out, preference_pb2.SetPreferenceResponse())
    assert receipt.version == 1
    assert reasons(served, "--device", "d1") == ["DEVICE_OPT_OUT"]


def test_locale_and_birth_date_go_with_a_choice(served: Adt) -> None:
    served("opt-in", "--account", "kid", "--birth-date", "2024-02-29", "--country", "US", "--language", "en-US")
    assert reasons(served, "--account", "kid") == ["UNDER_AGE"]
    held = json.loads(served("profile", "show", "--account", "kid").out)
    assert held["preferences"]["birth_date"] == {"year": 2024, "month": 2, "day": 29}
    assert held["preferences"]["language"] == "en-US"


def test_the_history_says_why(served: Adt) -> None:
    served("opt-out", "--account", "judy", "--ticket", "CASE-4711")
    served("opt-in", "--account", "judy")
    held = Parse(served("profile", "show", "--account", "judy").out, profile_pb2.GetProfileResponse())
    history = held.preferences.history
    assert [(change.version, change.ticket) for change in history] == [(2, ""), (1, "CASE-4711")]


def test_an_activity_is_recorded_shown_and_erased(served: Adt) -> None:
    seen = ("activity", "--account", "dave", *US, "--activity-id", "a1")
    assert served(*seen, "--kind", "page-view", "--segment", "648").out == "recorded\n"
    assert served(*seen, "--kind", "page-view", "--segment", "648").out == "duplicate\n"
    assert reasons(served, "--account", "dave") == []
    held = Parse(served("profile", "show", "--account", "dave").out, profile_pb2.GetProfileResponse())
    assert [each.segment_id for each in held.interests] == ["648"]
    erased = served("profile", "delete", "--account", "dave")
    assert "erased: " in erased.out
    receipt = served("profile", "delete", "--account", "dave", "--json")
    assert Parse(receipt.out, profile_pb2.DeleteProfileResponse()).keys_removed == 0
    assert reasons(served, "--account", "dave") == ["NO_PROFILE"]


def test_a_suppressed_activity_says_why(served: Adt) -> None:
    ended = served("activity", "--device", "d2", *US, "--kind", "call", "--destination", "FR", "--gpc")
    assert (ended.status, ended.out) == (0, "suppressed: GLOBAL_PRIVACY_CONTROL\n")


def test_a_rejected_activity_is_a_refusal_that_names_the_field(served: Adt) -> None:
    ended = served("activity", "--account", "erin", *US, "--kind", "page-view", "--segment", "erin@example.com")
    assert (ended.status, ended.out) == (1, "")
    assert "segment_ids" in ended.err
    assert "example.com" not in ended.err


def test_the_time_of_an_activity_may_be_given(served: Adt) -> None:
    argv = ("activity", "--account", "frank", *US, "--kind", "page-view", "--segment", "1", "--json")
    assert json.loads(served(*argv, "--occurred-at", "2000-01-01T00:00:00Z").out)["outcome"] == "OUTCOME_REJECTED"
    assert json.loads(served(*argv).out)["outcome"] == "OUTCOME_RECORDED"
