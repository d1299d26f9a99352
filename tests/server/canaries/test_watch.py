"""Which answers raise an alarm: only those that the store's state and the policy cannot explain."""

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from server.canaries.client import Answer
from server.canaries.connection import Unanswered
from server.canaries.leaks import Fault
from server.canaries.planter import Planted
from server.canaries.requests import Asking
from server.canaries.watch import CanaryWatch, WatchParts
from server.metrics.canary_counts import CanaryCounts, Outcome
from server.store.ports import StoreUnavailable, StoreUntrusted
from targeting.canaries.ids import CanaryIds
from targeting.canaries.people import CANARIES, Canary
from targeting.model import SubjectKind
from targeting.policy.policy import DEFAULT_POLICY, Policy
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords
from tests.server.running_service import wait_until

CONTROL, OPTED_OUT = CANARIES[:2]
LOST = next(canary for canary in CANARIES if canary.reason is Reason.PREFERENCE_LOST)
IDS = CanaryIds.of(bytes(32))
BEHAVIOURAL, CONTROL_LIMITED = Fault("a BEHAVIOURAL answer"), Fault("the control is LIMITED", is_limit=True)
BEFORE, AFTER = (StoredRecords(SubjectKind.ACCOUNT, bytes(16), bytes([version])) for version in (1, 2))


class Scene:
    """A watch whose store and service say what they are told to."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.fails = False
        self.readings: list[StoredRecords | Exception] = [BEFORE]
        self.policies = [DEFAULT_POLICY]
        self.asked: list[Sequence[Canary]] = []
        self.registry = CollectorRegistry()
        self.parts = WatchParts(self, self, self.policy, IDS, CanaryCounts(self.registry))
        self.watch = CanaryWatch(self.parts, every_s=0.001)

    def policy(self) -> Policy:
        return self.policies.pop(0) if len(self.policies) > 1 else self.policies[0]

    def tend(self) -> Planted:
        reading = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        if isinstance(reading, Exception):
            raise reading
        return {CONTROL: [reading], OPTED_OUT: [reading], LOST: [reading]}

    look = tend

    def ask(self, canaries: Sequence[Canary], asking: Asking) -> Iterator[Answer]:
        self.asked.append(canaries)
        if self.fails:
            raise Unanswered("refused")
        yield from (answer for answer in self.answers if answer.canary in canaries)

    def outcomes(self) -> dict[str, float]:
        value = self.registry.get_sample_value
        counts = {each.value: value("adtargeting_canary_answers_total", {"outcome": each.value}) for each in Outcome}
        assert value("adtargeting_canary_leaks_total") == counts["leaked"]
        return {outcome: count for outcome, count in counts.items() if count}


HELD = Answer(OPTED_OUT, "Decide")
LEAK = Answer(OPTED_OUT, "Decide", [BEHAVIOURAL])
NO_CONTROL = Answer(CONTROL, "Decide", [CONTROL_LIMITED])
NO_STORE = Answer(CONTROL, "Decide", is_unserved=True)
ANOTHER_REASON = Answer(OPTED_OUT, "Decide", is_unserved=True)
STILL_LOST = Answer(LOST, "Decide")


@pytest.mark.parametrize(
    ("answer", "readings", "outcome"),
    [
        pytest.param(HELD, [BEFORE], "held", id="as it must be"),
        pytest.param(LEAK, [BEFORE], "leaked", id="a leak"),
        pytest.param(LEAK, [BEFORE, AFTER], "unanswered", id="records written in between"),
        pytest.param(LEAK, [BEFORE, StoreUnavailable()], "leaked", id="a leak while the store fails"),
        pytest.param(NO_CONTROL, [BEFORE], "leaked", id="a limited control"),
        pytest.param(NO_CONTROL, [BEFORE, StoreUntrusted()], "unanswered", id="a store that is no longer trusted"),
        pytest.param(NO_CONTROL, [BEFORE, StoreUnavailable()], "unanswered", id="a store that is down"),
        pytest.param(NO_STORE, [BEFORE], "unanswered", id="a store that was late"),
        pytest.param(ANOTHER_REASON, [BEFORE], "unanswered", id="limited for another reason than its own"),
        pytest.param(STILL_LOST, [BEFORE], "held", id="a lost preference"),
    ],
)
def test_an_answer_is_judged_by_the_records_before_and_after_it(
    answer: Answer, readings: list[StoredRecords | Exception], outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(answer)
    scene.readings = readings
    scene.watch.check()
    assert scene.outcomes() == {outcome: 1}
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert bool(errors) is (outcome == "leaked")
    if errors:
        assert errors == [f"leak canary {answer.canary.name}: Decide shows {answer.faults[0].text}"]


def test_while_the_store_is_down_those_known_before_are_asked_about() -> None:
    scene = Scene(LEAK, NO_CONTROL)
    scene.readings = [StoreUnavailable()]
    scene.watch.check()
    assert list(scene.asked[-1]) == []
    scene.readings = [BEFORE, BEFORE, StoreUnavailable()]
    scene.watch.check()
    scene.watch.check()
    assert list(scene.asked[-1]) == [CONTROL, OPTED_OUT, LOST]
    assert scene.outcomes()["leaked"] == 1 + 1 + 1, "a control counts with the store, a leak always"


def test_an_untrusted_store_limits_everyone_as_a_lost_preference_does_so_that_one_shows_nothing() -> None:
    scene = Scene(STILL_LOST, HELD)
    scene.readings = [BEFORE, StoreUntrusted()]
    scene.watch.check()
    scene.watch.check()
    assert scene.outcomes() == {"held": 2 + 1, "unanswered": 1}


def test_a_leak_is_counted_by_the_second_round_from_its_beginning() -> None:
    """It may begin during a round, after its canary was asked about."""
    scene = Scene(HELD, STILL_LOST)
    ask = scene.ask

    def ask_and_plant(canaries: Sequence[Canary], asking: Asking) -> Iterator[Answer]:
        for answer in ask(canaries, asking):
            yield answer
            scene.answers[0] = LEAK

    scene.ask = ask_and_plant  # type: ignore[method-assign]  # a leak that begins during a round
    scene.watch.check()
    assert scene.outcomes() == {"held": 2}
    scene.watch.check()
    assert scene.outcomes() == {"held": 3, "leaked": 1}


class Rounds(threading.Event):
    """Four rounds, on a clock that only moves by what the rounds and the pauses between them are said to take."""

    def __init__(self, scene: Scene, round_s: float) -> None:
        super().__init__()
        self.now_s = 0.0
        self.began_s: list[float] = []
        self._tend, self._round_s = scene.tend, round_s
        scene.tend = self.begin  # type: ignore[method-assign]  # the first thing that a round does
        CanaryWatch(scene.parts, clock_s=lambda: self.now_s, stopping=self)._run()

    def begin(self) -> Planted:
        self.began_s.append(self.now_s)
        self.now_s += self._round_s
        return self._tend()

    def wait(self, timeout: float | None = None) -> bool:
        self.now_s += timeout or 0.0
        if len(self.began_s) == 4:
            self.set()
        return self.is_set()


@pytest.mark.parametrize("round_s", [0.0, 0.02, 0.5, 1.0])
def test_a_round_begins_every_second_however_long_it_takes(round_s: float) -> None:
    """So a leak is found within two seconds: the rest of a round, and the whole of the next one."""
    assert Rounds(Scene(HELD), round_s).began_s == pytest.approx([0.0, 1.0, 2.0, 3.0])


def test_a_round_that_takes_longer_is_followed_at_once() -> None:
    assert Rounds(Scene(HELD), 1.5).began_s == pytest.approx([0.0, 1.5, 3.0, 4.5])


def test_a_policy_that_changes_meanwhile_explains_anything() -> None:
    scene = Scene(LEAK)
    scene.policies = [DEFAULT_POLICY, replace(DEFAULT_POLICY, version="next")]
    scene.watch.check()
    assert scene.outcomes() == {}


def test_no_answer_is_one_line_until_there_is_one(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(HELD)
    for fails in (True, True, False, True):
        scene.fails = fails
        scene.watch.check()
    assert scene.outcomes() == {"unanswered": 3, "held": 1}
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_it_outlives_a_fault_of_its_own() -> None:
    scene = Scene(HELD)
    scene.readings = [ValueError(), BEFORE]
    scene.watch.start()
    wait_until(lambda: bool(scene.outcomes()))
    scene.watch.close()
