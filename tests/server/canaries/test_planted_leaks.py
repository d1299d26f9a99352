"""Leaks planted in a real service: a guard is removed for each canary, and that canary shows it.

Each test is the twin of the others: with all guards in place nothing is reported.
"""

from collections.abc import Callable, Iterator
from ipaddress import ip_address

import grpc
import pytest
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

import targeting.consent
import targeting.decision
import targeting.judge
import targeting.networks
import targeting.openrtb.user
from server.metrics.canary_counts import Outcome
from targeting.judge import Verdict
from targeting.model import AdRequest, Subject, SubjectKind
from targeting.reasons import NO_REASONS, Reason, Reasons
from targeting.records.preference import StoredChoice
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import Cookies
from targeting.subjects.request_subjects import subjects_of
from tests.server.canaries.watched_service import WatchedService, watched_service
from tests.server.running_service import ALICE

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedService]:
    with watched_service(tmp_path_factory.mktemp("service")) as running:
        yield running


def a_choice_ignored(kind: SubjectKind) -> Plant:
    return lambda patch: patch.setitem(targeting.judge._OPT_OUT_OF, kind, NO_REASONS)


def a_linked_account_ignored(patch: pytest.MonkeyPatch) -> None:
    def without_linked(request: AdRequest, cookies: Cookies) -> tuple[Subject, ...]:
        return subjects_of(request._replace(identity=request.identity._replace(linked_account_ids=())), cookies)

    patch.setattr(targeting.decision, "subjects_of", without_linked)


def everyone_of_age(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(targeting.decision, "latest_birth_day", lambda today, years: today)


def a_lost_preference_ignored(patch: pytest.MonkeyPatch) -> None:
    limits = targeting.judge._limits

    def without(records: StoredRecords, choice: StoredChoice | None, of_age_day: int) -> Reasons:
        return NO_REASONS if choice is None else limits(records, choice, of_age_day)

    patch.setattr(targeting.judge, "_limits", without)


def a_signal_ignored(patch: pytest.MonkeyPatch) -> None:
    flags = targeting.judge._flags
    gpc = Reason.GLOBAL_PRIVACY_CONTROL.bit
    patch.setattr(targeting.judge, "_flags", lambda *given: Reasons(flags(*given) & ~gpc))


def another_purpose_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(targeting.consent, "PURPOSE_BEHAVIOURAL", 2)


def no_opt_in_needed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(targeting.decision, "needs_opt_in", lambda *_: False)


def everyone_limited(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(targeting.decision, "judge_stored", lambda *_: Verdict(Reason.NO_PROFILE.bit))


GUARDS: dict[str, Plant] = {
    "account-opt-out": a_choice_ignored(SubjectKind.ACCOUNT),
    "linked-account-opt-out": a_linked_account_ignored,
    "device-opt-out": a_choice_ignored(SubjectKind.DEVICE),
    "child": everyone_of_age,
    "lost-preference": a_lost_preference_ignored,
    "gpc-shown": a_signal_ignored,
    "gpc-stored": a_choice_ignored(SubjectKind.ACCOUNT),
    "consent-refused": another_purpose_asked,
    "opt-in-place": no_opt_in_needed,
    "control": everyone_limited,
}


@pytest.mark.parametrize("canary", GUARDS)
def test_a_guard_removed_is_reported_by_its_canary(
    watched: WatchedService, canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = watched.leak_count()
    GUARDS[canary](monkeypatch)
    line = watched.await_leak(canary)
    assert ("a BEHAVIOURAL answer" in line) is (canary != "control")
    assert watched.leak_count() > before


def test_with_every_guard_in_place_nothing_is_reported(watched: WatchedService) -> None:
    # The rounds under way when the last guard came back may have seen it gone.
    watched.await_rounds()
    reported, held = watched.leak_count(), watched.answers(Outcome.HELD)
    watched.await_rounds(5)
    assert watched.leak_count() == reported
    assert watched.answers(Outcome.HELD) > held


def test_an_answer_counts_in_no_metric_of_decisions(watched: WatchedService) -> None:
    counted: dict[str, float] = {}
    for family in watched.service.metrics.registry.collect():
        for sample in family.samples:
            counted[sample.name] = counted.get(sample.name, 0) + sample.value
    for name in (
        *("decisions_total", "limit_reasons_total", "network_profiles_total", "calls_total", "batch_size_count"),
        *("decision_seconds_count", "room_seconds_count", "tcf_undisclosed_total", "signal_decode_errors_total"),
    ):
        assert counted.get(f"adtargeting_{name}", 0) == 0, name
    assert counted["adtargeting_canary_answers_total"] > 0
    with grpc.insecure_channel(watched.address) as channel:
        TargetingServiceStub(channel).Decide(ALICE, timeout=10)
    assert watched.value("adtargeting_decisions_total", mode="limited") == 1


def user_passed_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(targeting.openrtb.user, "_common", lambda fields, *_: dict(fields))


def address_unmasked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(targeting.networks, "mask_ip", lambda address, *_: str(ip_address(address)))


PAYLOADS: dict[str, tuple[Plant, str]] = {
    "the user": (user_passed_on, "in the bid request for net"),
    "an address": (address_unmasked, "the exact place for net"),
}


@pytest.mark.parametrize("planted", PAYLOADS)
def test_what_leaks_into_a_payload_is_reported(
    watched: WatchedService, planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, words = PAYLOADS[planted]
    plant(monkeypatch)
    assert words in watched.await_leak("account-opt-out")
