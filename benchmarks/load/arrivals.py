"""The service under calls that arrive on their own clock: at shares of its knee, far beyond it, and beside neighbours.

The knee is the closed-loop rate at 64 in flight, measured just before, so every figure is a ratio within one run.
"""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks import people
from benchmarks.load.h2load import Target, Voided, find_h2load, headers_of, run
from benchmarks.load.processes import resident_mib
from benchmarks.load.scene import Question, Scene, batch, behavioural, prepared
from benchmarks.open_loop.plan import Outcome, run_open_loop
from server.gate.methods import DECIDE

SHARES = (0.25, 0.5, 0.75, 0.9)
OVERLOAD = 10
DEADLINE_MS = 100
BUDGET_MS = 25.0 + 5.0
_KNEE_CALLS, _KNEE_IN_FLIGHT, _KNEE_TRIES = 6_400, 64, 3
_NEIGHBOUR_SHARE = 0.1
_NEIGHBOURS_AT_A_TIME = 8
_LARGEST_BATCH = 256


class Arrivals(NamedTuple):
    """One open-loop run: what it is, the rate as a share of the knee, and what became of the calls."""

    name: str
    share: float
    outcome: Outcome


class Overload(NamedTuple):
    """A run far beyond the knee: the knee (calls a second), what became of the calls, memory before and after (MiB)."""

    name: str
    knee: float
    outcome: Outcome
    before_mib: float
    after_mib: float

    @property
    def goodput(self) -> float:
        """Answers as expected, as a share of the knee."""
        return self.outcome.goodput / self.knee


def measure_knee(target: Target, scratch: Path) -> float:
    """Return the calls a second with 64 in flight: the best of a few tries. Raises ``Voided`` if all are void."""
    # A few limited answers make it no other knee; the rows that follow show their share.
    target = target._replace(least_bytes=0)
    rates, problem = [], Voided("no sample was taken")
    for _ in range(_KNEE_TRIES):
        try:
            rates.append(run([target], _KNEE_CALLS, _KNEE_IN_FLIGHT, scratch).rate)
        except Voided as voided:
            problem = voided
    if not rates:
        raise problem
    return max(rates)


def measure_shares(name: str, target: Target, knee: float, seconds: float, scratch: Path) -> list[Arrivals]:
    """Have calls arrive at each share of the knee."""
    return [
        Arrivals(name, share, run_open_loop(target, scratch, rate=share * knee, seconds=seconds)) for share in SHARES
    ]


def measure_overload(scene: Scene, target: Target, knee: float, seconds: float, scratch: Path) -> list[Overload]:
    """Have ten times the knee arrive, without and with deadlines."""
    runs = []
    for name, timeout_ms in (("no deadline", 0), (f"deadlines of {DEADLINE_MS} ms", DEADLINE_MS)):
        before_mib = resident_mib(scene.service.pid)
        outcome = run_open_loop(
            target, scratch, rate=OVERLOAD * knee, seconds=seconds, connections=64, timeout_ms=timeout_ms
        )
        runs.append(Overload(name, knee, outcome, before_mib, resident_mib(scene.service.pid)))
    return runs


def measure_neighbours(scene: Scene, target: Target, knee: float, seconds: float, scratch: Path) -> list[Arrivals]:
    """Have calls arrive at a tenth of the knee: alone, then beside each kind of legal neighbour, 8 at a time."""
    rate = _NEIGHBOUR_SHARE * knee
    alone = run_open_loop(target, scratch, rate=rate, seconds=seconds)
    found = [Arrivals("alone", _NEIGHBOUR_SHARE, alone)]
    for question in neighbours():
        with _load_of(scene.neighbour(question), seconds):
            outcome = run_open_loop(target, scratch, rate=rate, seconds=seconds)
        found.append(Arrivals(question.name, _NEIGHBOUR_SHARE, outcome))
    return found


def neighbours() -> Sequence[Question]:
    """Return the heaviest legal calls: the largest batch, a bid request, and a hostile consent string."""
    hostile = people.request(3)
    hostile.signals.gdpr_applies = True
    hostile.signals.tcf_consent = "CP" + "_" * 8_000
    return (
        batch("batches of 256", 10, _LARGEST_BATCH),
        prepared("bid requests", people.bid_request(1)),
        Question("hostile strings", DECIDE.path, hostile.SerializeToString(), ()),
        behavioural("single calls", people.request(2)),
    )


@contextmanager
def _load_of(target: Target, seconds: float) -> Iterator[None]:
    """Keep 8 calls in flight for as long as the block runs."""
    command = [find_h2load(), "-D", str(int(seconds) + 5), "-c", str(_NEIGHBOURS_AT_A_TIME), "-m", "1"]
    url = f"http://{target.address}{target.path}"
    neighbour = subprocess.Popen(
        [*command, *headers_of(), "-d", str(target.body), url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        neighbour.terminate()
        neighbour.wait()
