"""The soak: what grows is found and named, what only wavers is not; and a planted leak fails a run."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.load.h2load import find_h2load
from benchmarks.soak.__main__ import soak
from benchmarks.soak.report import as_text, write
from benchmarks.soak.samples import Counts, Footprint, footprint
from benchmarks.soak.trend import LEAST_SAMPLES, trend
from benchmarks.soak.verdict import findings, timeout_share
from benchmarks.soak.windows import LEAST_WINDOWS, Answers, View, Window, watch
from tests.faults.matrix.marks import Figure

LEAK = """
import threading, time

def leak():
    kept = []
    while True:
        kept.append((bytearray(b"x" * (1 << 22)), open("/dev/null"), threading.Event()))
        threading.Thread(target=kept[-1][2].wait, daemon=True).start()
        time.sleep(0.02)

threading.Thread(target=leak, daemon=True).start()
"""
"""Leaks four megabytes, a descriptor and a thread fifty times a second."""
MOST_TIMEOUTS = 1e-4
"""The share of decisions at half load that may find the store too late."""


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("outliers", [False, True], ids=["noise", "noise and outliers"])
def test_noise_is_no_trend_and_a_slope_under_it_is_one(seed: int, outliers: bool) -> None:
    dice, at_s = np.random.default_rng(seed), np.arange(40.0)
    noise = dice.normal(100, 2, 40) + (dice.random(40) < 0.1) * 80 * outliers
    assert not trend(at_s, noise).is_surprising
    rising = trend(at_s, noise + at_s * 0.5)
    assert rising.is_surprising
    assert rising.growth == pytest.approx(0.5 * 39, abs=6)


@given(st.lists(st.floats(0, 1e6), max_size=LEAST_SAMPLES - 1))
def test_a_few_samples_show_nothing(values: list[float]) -> None:
    assert not trend(list(range(len(values))), values).is_surprising


@given(st.floats(0, 1e6), st.integers(LEAST_SAMPLES, 60))
def test_what_stays_the_same_has_no_trend(level: float, count: int) -> None:
    assert trend(list(range(count)), [level] * count) == (0.0, 0.0)


def windows(
    count: int = 40, mib_a_window: float = 0.0, openings: int = 0, timeout_shares: Sequence[float] = (0.0,)
) -> list[Window]:
    return [
        Window(
            float(n),
            Answers(1000, 0, 2.0, 5.0),
            View(Footprint(100 + mib_a_window * n, 30, 17), Counts(1000.0 * n, 0, 0, 0), openings if n else 0),
            0.0,
            timeout_shares[n % len(timeout_shares)],
        )
        for n in range(count)
    ]


def test_a_steady_run_finds_nothing() -> None:
    assert findings(windows()) == []


def test_the_shortest_run_has_windows_enough_for_a_trend() -> None:
    shortest = windows(count=LEAST_WINDOWS, mib_a_window=2)
    assert findings(shortest) == ["resident memory grew by 20 MiB"]


def test_memory_that_grows_is_named() -> None:
    assert findings(windows(mib_a_window=0.5)) == ["resident memory grew by 16.5 MiB"]
    assert findings(windows(mib_a_window=0.1)) == []


def test_a_store_that_is_late_all_the_time_is_named_and_a_pause_of_the_machine_is_not() -> None:
    assert findings(windows(timeout_shares=[0.003])) == ["STORE_TIMEOUT is 0.3 %, more than 0.01"]
    assert "STORE_TIMEOUT" in as_text(windows(timeout_shares=[0.003])).partition("FAILED:")[2]
    assert findings(windows(timeout_shares=[0.0, 0.0, 0.003])) == []
    assert timeout_share(windows(count=30, timeout_shares=[0.0, 0.0, 0.003])) == pytest.approx(0.001)


def test_one_opened_circuit_is_enough() -> None:
    assert findings(windows(openings=1)) == ["the circuit opened once"]


def test_the_report_says_what_grows_and_leaves_a_plot(tmp_path: Path) -> None:
    assert "FAILED: resident memory grew" in as_text(windows(mib_a_window=1))
    plot = write(windows(mib_a_window=1), tmp_path, "a soak")
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert "resident memory grew" in (tmp_path / "soak.json").read_text()


@pytest.fixture
def leaking() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", f"{LEAK}\ntime.sleep(60)"])
    yield process.pid
    process.kill()
    process.wait()


def test_a_process_that_leaks_fails(leaking: int) -> None:
    def pause() -> Answers:
        time.sleep(0.1)
        return Answers(1, 0, 1.0, 1.0)

    found = findings(watch(pause, lambda: View(footprint(leaking), Counts(0, 0, 0, 0), 0), seconds=0))
    assert [each.partition(" grew")[0] for each in found] == ["resident memory", "open descriptors", "threads"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_service_that_leaks_fails_a_soak(tmp_path: Path) -> None:
    find_h2load()
    (tmp_path / "sitecustomize.py").write_text(LEAK, encoding="ascii")
    found = findings(soak(5, PYTHONPATH=str(tmp_path))[0])
    assert {"resident memory", "open descriptors", "threads"} <= {each.partition(" grew")[0] for each in found}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.fault(row=26)
def test_half_load_on_a_healthy_store_opens_no_circuit(figure: Figure) -> None:
    """A minute here; `make soak` takes ten."""
    find_h2load()
    seen, rate = soak(60)
    late, openings = timeout_share(seen), seen[-1].view.circuit_openings
    figure(f"{late:.4%} STORE_TIMEOUT, {openings} circuits opened, at {rate:,.0f} calls/s for a minute")
    assert openings == 0
    assert late <= MOST_TIMEOUTS
