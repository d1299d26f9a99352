"""The policy in the shadow is counted, and neither it nor a fault of it changes an answer."""

from dataclasses import replace

import pytest

from server.decisions.containment import contained
from server.decisions.decider import Decider
from server.decisions.sampling import EveryNth
from server.decisions.shadow import Shadow
from server.gate.methods import DECIDE
from targeting.decision import Rulebook
from targeting.policy.policy import DEFAULT_POLICY, NetworkRule, Policy, SignalPolicy
from targeting.rejudging.batch import DecidedBatch
from tests.server.decisions.worker_bench import Bench, request, response

STRICT = replace(
    DEFAULT_POLICY,
    version="strict",
    signals=SignalPolicy(honour_do_not_track=True),
    rules=(NetworkRule(withhold=("profile",), networks=("house",)),),
)
DO_NOT_TRACK = {"signals": {"do_not_track": True}}
ASKS_HOUSE = {"third_party_networks": ["house"]}


def bench_with(policy: Policy, shadow: Policy | None, one_in: int = 1) -> Bench:
    bench = Bench()
    observer = Shadow(lambda: shadow, bench.metrics.shadow, EveryNth(one_in))
    decider = Decider(lambda: Rulebook(policy, b"key"), lambda _: None, on_decided=contained([observer]))
    bench.parts = bench.parts._replace(decider=decider)
    return bench


def counted(bench: Bench) -> dict[tuple[str, str], float]:
    samples = [
        sample
        for family in bench.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "adtargeting_shadow_total" and sample.value
    ]
    return {(sample.labels["change"], sample.labels["reason"]): sample.value for sample in samples}


@pytest.mark.parametrize(
    ("policy", "shadow", "asked", "expected"),
    [
        (DEFAULT_POLICY, DEFAULT_POLICY, DO_NOT_TRACK | ASKS_HOUSE, {}),
        (DEFAULT_POLICY, STRICT, {}, {}),
        (DEFAULT_POLICY, STRICT, DO_NOT_TRACK, {("tighter", "do_not_track"): 1}),
        (STRICT, DEFAULT_POLICY, DO_NOT_TRACK, {("would_ask_store", "do_not_track"): 1}),
        (STRICT, DEFAULT_POLICY, {**DO_NOT_TRACK, "account_id": ""}, {("looser", "do_not_track"): 1}),
        (DEFAULT_POLICY, STRICT, ASKS_HOUSE, {("tighter", "network_policy"): 1}),
        (STRICT, DEFAULT_POLICY, ASKS_HOUSE, {("looser", "network_policy"): 1}),
        (
            DEFAULT_POLICY,
            STRICT,
            DO_NOT_TRACK | ASKS_HOUSE,
            {("tighter", "do_not_track"): 1, ("tighter", "network_policy"): 1},
        ),
    ],
    ids=[
        "equal",
        "nothing to say",
        "tighter",
        "would ask the store",
        "looser, and no subject to ask about",
        "network tighter",
        "network looser",
        "both",
    ],
)
def test_what_would_change_is_counted_by_reason(
    policy: Policy, shadow: Policy, asked: dict[str, object], expected: dict[tuple[str, str], float]
) -> None:
    bench = bench_with(policy, shadow)
    bench.serve(bench.gate.put(DECIDE, request(**asked)))
    assert counted(bench) == expected
    assert bench.count("adtargeting_shadow_judged_total") == 1


def test_the_answer_is_the_same_bytes_with_and_without_a_shadow() -> None:
    answers = []
    for shadow in (None, STRICT):
        bench = bench_with(DEFAULT_POLICY, shadow)
        answers += bench.serve(bench.gate.put(DECIDE, request(**DO_NOT_TRACK, **ASKS_HOUSE)))
    assert answers[0] == answers[1]


def test_a_fault_in_the_shadow_changes_nothing() -> None:
    class Faulty:
        def observe(self, batch: DecidedBatch) -> None:
            raise LookupError(str(batch))

    bench = Bench()
    decider = Decider(lambda: Rulebook(DEFAULT_POLICY, b"key"), lambda _: None, on_decided=contained([Faulty()]))
    bench.parts = bench.parts._replace(decider=decider)
    (answer,) = bench.serve(bench.gate.put(DECIDE, request()))
    assert response(answer).limited.country == "US"


def test_a_sample_is_judged() -> None:
    bench = bench_with(DEFAULT_POLICY, STRICT, one_in=10)
    bench.serve(*(bench.gate.put(DECIDE, request(**DO_NOT_TRACK)) for _ in range(400)))
    judged = bench.count("adtargeting_shadow_judged_total")
    assert 0 < judged < 200
    assert counted(bench) == {("tighter", "do_not_track"): judged}


@pytest.mark.parametrize("one_in", [1, 2, 7, 1000])
def test_one_request_in_so_many_is_taken(one_in: int) -> None:
    drawn = [(number * 0.618_034) % 1 for number in range(1, 20_000)]
    sample = EveryNth(one_in, iter(drawn).__next__)
    taken = sum(sample.takes() for _ in range(10_000))
    assert taken == pytest.approx(10_000 / one_in, rel=0.2)
