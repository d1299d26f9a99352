"""The runner on a small project: what a test notices, what none does, and what never ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.crew import Crew, Outcome
from tests.mutation.equivalents import read_equivalents
from tests.mutation.mutants import Mutant, mutants_of, sample
from tests.mutation.operators import Change
from tests.mutation.reach import Reach, seconds_in
from tests.mutation.report import score, stale, survivors, table
from tests.mutation.trial import KILLED, NOT_RUN, SURVIVED, TIMED_OUT, job_for

ROOT = Path(__file__).parents[2]
MODULE = b"def double(x):\n    return x + x\n"
TEST = (
    "from sum import double\ndef test_two():\n    assert double(2) == 4\ndef test_three():\n    assert double(3) == 6\n"
)


def outcomes_of(tmp_path: Path, *changed: bytes, tests: list[list[str]], limit_s: float = 60) -> list[str]:
    (tmp_path / "sum.py").write_bytes(MODULE)
    (tmp_path / "test_sum.py").write_text(TEST)
    jobs = "".join(job_for("sum.py", text, tests, limit_s) + "\n" for text in changed)
    command = [sys.executable, "-m", "tests.mutation.trial"]
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": ""}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, input=jobs, capture_output=True, text=True, check=True
    )
    assert (tmp_path / "sum.py").read_bytes() == MODULE
    return ended.stdout.split("\n")[:-1]


def test_a_mutant_is_noticed_survives_or_never_ends(tmp_path: Path) -> None:
    changed = (MODULE.replace(b"x + x", new) for new in (b"x * 3", b"x * x", b"x * 2", b"double(x", b"x"))
    tests = [["test_sum.py::test_two"], ["test_sum.py::test_three"]]
    # Wrong at once, wrong for the second group, the same, no Python, and wrong again: the file was put back each time.
    assert outcomes_of(tmp_path, *changed, tests=tests) == [KILLED, KILLED, SURVIVED, KILLED, KILLED]


def test_one_that_never_ends_is_ended(tmp_path: Path) -> None:
    endless = MODULE.replace(b"return", b"while True: x = x\n    return")
    assert outcomes_of(tmp_path, endless, tests=[["test_sum.py::test_two"]], limit_s=5) == [TIMED_OUT]


def mutant(path: str = "targeting/judge.py", line: int = 1, what: str = "x") -> Mutant:
    return Mutant(path, line, "scope", Change(0, 1, b"", what), 1)


def test_the_tests_of_a_mutant_are_those_that_reach_its_line_near_and_quick_ones_first() -> None:
    reach = Reach(
        {
            "targeting/openrtb/user.py": {
                3: ["tests/a::slow", "tests/targeting/openrtb/b::near", "tests/a::quick"],
                4: ["tests/c::x", "tests/c::fails"],
            },
            "server/store/redis/commit.py": {9: ["tests/d::x"]},
        },
        {
            "tests/a::slow": 50.0,
            "tests/a::quick": 0.1,
            "tests/targeting/openrtb/b::near": 1.0,
            "tests/c::x": 1.0,
            "tests/d::x": 1.0,
        },
    )
    crew = Crew(ROOT, reach, most_test_s=60.0)
    path = "targeting/openrtb/user.py"
    assert crew.groups_for(mutant(path, 3)) == [
        ["tests/targeting/openrtb/b::near"],
        ["tests/a::quick", "tests/a::slow"],
    ]
    assert crew.groups_for(mutant(path, 4)) == [["tests/c::x"]]
    at_import = {test for group in crew.groups_for(mutant(path, 1)) for test in group}
    assert at_import == {*reach.by_line[path][3], "tests/c::x"}
    assert crew.groups_for(mutant("server/store/redis/commit.lua", 40)) == [["tests/d::x"]]
    assert crew.groups_for(mutant("targeting/openrtb/at_import.py")) == [["tests/targeting/openrtb/b::near"]]
    assert crew.groups_for(mutant("targeting/nowhere/other.py")) == []


def test_durations_are_read_from_the_report(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(
        '<testsuites><testsuite><testcase file="tests/a.py" classname="tests.a" name="b[c.d]" time="0.25"/>'
        '<testcase file="tests/a.py" classname="tests.a.TestX" name="b" time="0.5"/>'
        '<testcase file="tests/a.py" name="of a fault" time="2"><properties/></testcase>'
        '<testcase file="tests/a.py" name="is left out" time="0"><skipped/></testcase>'
        '<testcase file="tests/a.py" name="fails" time="1"><failure/></testcase></testsuite></testsuites>'
    )
    assert seconds_in(report) == {"tests/a.py::b[c.d]": 0.25, "tests/a.py::TestX::b": 0.5, "tests/a.py::of a fault": 2}


def test_the_score_leaves_equivalent_mutants_out() -> None:
    tried = [
        Outcome(mutant(what=str(number)), result, 0.0)
        for number, result in enumerate((KILLED, TIMED_OUT, SURVIVED, NOT_RUN))
    ]
    equivalent = {tried[2].mutant.key}
    assert score(tried) == 50
    assert list(table(tried, equivalent))[-1].split() == ["all", "4", "2", "1", "1", "66.7%"]
    assert list(survivors(tried, equivalent)) == [
        f"targeting/judge.py:1 (no test reaches it)\n    {tried[3].mutant.key}"
    ]


def test_a_sample_is_the_same_for_the_same_seed_and_its_beginning_is_a_sample() -> None:
    mutants = mutants_of(ROOT, ["targeting/reasons.py"])
    assert len({each.key for each in mutants}) == len(mutants)
    assert sample(mutants, 10, 3) == sample(mutants, 10, 3) != sample(mutants, 10, 4)
    assert len(sample(mutants, 10_000, 3)) == len(mutants)


def test_every_equivalent_mutant_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in read_equivalents().values())


def test_an_equivalent_mutant_that_no_longer_exists_is_named() -> None:
    mutants = [mutant(what="here")]
    assert list(stale({mutants[0].key, "targeting/gone.py:f: x"}, mutants)) == [
        "no longer a mutant, take it out of equivalent.toml: targeting/gone.py:f: x"
    ]


def test_an_entry_names_its_mutants(tmp_path: Path) -> None:
    file = tmp_path / "equivalent.toml"
    file.write_text('[[equivalent]]\nbecause = "it is only quicker"\nmutants = ["a", "b"]\n')
    assert read_equivalents(file) == dict.fromkeys("ab", "it is only quicker")


@pytest.mark.parametrize("text", [b"x = 1\n", b"\xc3\xa4 = 2\n"])
def test_a_job_carries_any_source(text: bytes) -> None:
    assert json.loads(job_for("x.py", text, [], 1))["path"] == "x.py"
