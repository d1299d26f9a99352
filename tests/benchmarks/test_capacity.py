"""The capacity calculator: what grows with what, and a worked example."""

import pytest

from benchmarks.capacity import UnitCosts, capacity, main

COSTS = UnitCosts(decision_cpu_us=100, store_cpu_us=10, person_bytes=1 << 10, utilisation=0.5)


@pytest.mark.parametrize(
    ("decisions_per_second", "profiles", "processes", "shards"),
    [
        pytest.param(1, 1, 1, 1, id="one of each at least"),
        pytest.param(5_000, 1e6, 1, 1, id="5,000 decisions of 100 µs fill half a core"),
        pytest.param(5_001, 1e6, 2, 1, id="and one more needs another"),
        pytest.param(1e6, 1e6, 200, 20, id="shards by CPU"),
        pytest.param(1e3, 100 * (1 << 20), 1, 4, id="shards by memory: 100 GiB in shards of 25"),
    ],
)
def test_what_a_deployment_needs(decisions_per_second: float, profiles: float, processes: int, shards: int) -> None:
    needed = capacity(decisions_per_second, profiles, COSTS)
    assert (needed.processes, needed.shards) == (processes, shards)


def test_the_answer_names_every_assumption(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--decisions-per-second", "1e6", "--profiles", "5e8", "--decision-cpu-us", "50"]) == 0
    out = capsys.readouterr().out
    assert "worker processes      100, a core each" in out
    assert "decision cpu us     50" in out


@pytest.mark.parametrize("number", ["0", "-1", "inf", "nan", "many"])
def test_a_number_that_makes_no_sense_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--decisions-per-second", number, "--profiles", "1"])
    assert "--decisions-per-second" in capsys.readouterr().err
