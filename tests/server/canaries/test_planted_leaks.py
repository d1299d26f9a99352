"""Leaks planted in a real service: a guard is removed for each canary, and that canary shows it.

Each test is the twin of the others: with all guards in place nothing is reported.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path

import grpc
import pytest
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub
from prometheus_client import CollectorRegistry

import targeting.consent
import targeting.decision
import targeting.judge
import targeting.networks
import targeting.openrtb.user
from server.canaries.assembly import CanaryParts
from server.canaries.client import CanaryClient
from server.canaries.guard import PART
from server.canaries.leaks import Examiner
from server.canaries.requests import Asking
from server.canaries.watch import EVERY_S
from server.decisions.fetcher import LoopFetcher
from server.metrics.canary_counts import CanaryCounts, Outcome
from server.metrics.metrics import Metrics
from server.security.own_credential import OwnCredential
from targeting.canaries.people import CANARIES
from targeting.judge import Verdict
from targeting.model import AdRequest, Subject, SubjectKind
from targeting.reasons import NO_REASONS, Reason, Reasons
from targeting.records.preference import StoredChoice
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import Cookies
from targeting.subjects.request_subjects import subjects_of
from tests.server.canaries.watched_service import WatchedService, watched_service
from tests.server.running_service import ALICE, wait_until

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
    line = watched.await_leak(canary, "the control is LIMITED" if canary == "control" else "a BEHAVIOURAL answer")
    assert ("BEHAVIOURAL" in line) is (canary != "control")
    assert watched.leak_count() > before


class Answers(CanaryCounts):
    """Keeps the outcomes of a watch, in order."""

    def __init__(self) -> None:
        super().__init__(CollectorRegistry())
        self.seen: list[Outcome] = []

    def count(self, outcome: Outcome, number: int = 1) -> None:
        self.seen += [outcome] * number


def test_at_the_real_cadence_a_leak_is_counted_by_the_second_round(
    watched: WatchedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round begins every second (``test_watch``), so it is found within two."""
    assert EVERY_S == 1
    service, metrics, answers = watched.service, Metrics(), Answers()
    metrics.canaries, a_round = answers, 3 * len(CANARIES)
    with ExitStack() as closing:
        CanaryParts(service.gate, service.store, service.rules, metrics).open(closing)
        wait_until(lambda: len(answers.seen) >= a_round, 20)
        a_choice_ignored(SubjectKind.ACCOUNT)(monkeypatch)
        planted = len(answers.seen)
        wait_until(lambda: Outcome.LEAKED in answers.seen, 20)
        assert answers.seen.index(Outcome.LEAKED) - planted < 2 * a_round


@pytest.fixture
def examined(watched: WatchedService, tmp_path: Path) -> Callable[[], set[str]]:
    """Ask about every canary once, and return the names of those that hold."""
    credential = OwnCredential.make(PART)
    watched.service.gate.listen_for(credential, tmp_path / "gate")
    client = CanaryClient(str(tmp_path / "gate"), credential, Examiner(watched.ids))

    def ask() -> set[str]:
        asking = Asking.under(watched.service.rules().policy, watched.ids, 0)
        answers = list(client.ask(CANARIES, asking))
        assert not any(answer.faults for answer in answers)
        return {answer.canary.name for answer in answers if not answer.is_unserved}

    return ask


@pytest.mark.parametrize("reason", [Reason.STORE_TIMEOUT, Reason.STORE_UNAVAILABLE])
def test_while_the_store_fails_only_those_hold_that_their_request_limits(
    examined: Callable[[], set[str]], reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examined() == {canary.name for canary in CANARIES}
    monkeypatch.setattr(LoopFetcher, "ask", lambda *_, **__: reason)
    assert examined() == {"gpc-shown", "consent-refused"}


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
        *("store_seconds_count", "store_errors_total", "inflight"),
    ):
        assert counted.get(f"adtargeting_{name}", 0) == 0, name
    assert counted["adtargeting_canary_answers_total"] > 0
    with grpc.insecure_channel(watched.address) as channel:
        TargetingServiceStub(channel).Decide(ALICE, timeout=10)
    assert watched.value("adtargeting_decisions_total", mode="limited") == 1
    assert watched.value("adtargeting_store_seconds_count", operation="fetch") == 1


def test_a_metric_says_that_canaries_are_on(watched: WatchedService) -> None:
    assert watched.value("adtargeting_canaries_enabled") == 1
    assert Metrics().registry.get_sample_value("adtargeting_canaries_enabled") == 0


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
    assert watched.await_leak("account-opt-out", words)
