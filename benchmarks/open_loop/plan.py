"""What an open-loop run does, and what it found."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.load.h2load import Target

_FRAME = 5
_PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls of one kind that fall due by a Poisson process: ``rate`` a second, ``calls`` of them."""

    address: str
    path: str
    body: str
    rate: float
    calls: int
    connections: int = 16
    timeout_ms: int = 0
    """The deadline that each call sends; 0: none."""
    seed: int = 7


class Outcome:
    """What became of the calls of a plan. Times in ms from when a call was due, but for ``refusal_ms``."""

    def __init__(self, rows: NDArray[np.float64], target: Target, seconds: float) -> None:
        due, sent, over, octets = rows.T
        answered = octets > _FRAME
        right = (octets >= target.least_bytes + _FRAME) & (octets <= target.most_bytes + _FRAME)
        self.calls = len(rows)
        self.seconds = max(seconds, float(over[answered].max()) if answered.any() else 0.0)
        """How long answers came, which is longer than calls fell due where the client could not keep up."""
        self.times_ms = np.sort((over - due)[answered]) * 1e3
        self.answered = int(answered.sum())
        self.as_expected = int(right.sum())
        """Those that were answered as the question expects: behaviourally, where it is about a known person."""
        self.refused = int((~answered & (octets >= 0)).sum())
        self.lost = int((octets < 0).sum())
        self.refusal_ms = np.sort((over - sent)[~answered & (octets >= 0)]) * 1e3
        self.second_of_answers = np.bincount(over[right].astype(int), minlength=int(np.ceil(seconds)))
        """Answers as expected in each second of the run."""

    @property
    def goodput(self) -> float:
        """Answers as expected, a second."""
        return self.as_expected / self.seconds

    @property
    def limited_share(self) -> float:
        """The share of the answers that were not as expected: decided within the budget, but limited."""
        return 1 - self.as_expected / self.answered if self.answered else 0.0

    def percentile_ms(self, percent: float) -> float:
        """A percentile of the times of answered calls, from the raw samples."""
        return float(np.percentile(self.times_ms, percent)) if len(self.times_ms) else float("nan")

    def refusal_percentile_ms(self, percent: float) -> float:
        """A percentile of the time from sending a call to its refusal; 0 without one."""
        return float(np.percentile(self.refusal_ms, percent)) if len(self.refusal_ms) else 0.0

    def share_later_than(self, limit_ms: float) -> float:
        """The share of the answered calls that took longer."""
        return float((self.times_ms > limit_ms).mean()) if len(self.times_ms) else 0.0


def run_open_loop(
    target: Target, scratch: Path, *, rate: float, seconds: float, connections: int = 16, timeout_ms: int = 0
) -> Outcome:
    """Have calls arrive at a rate, and return what became of them."""
    plan = Plan(
        address=target.address,
        path=target.path,
        body=str(target.body),
        rate=rate,
        calls=max(int(rate * seconds), 1),
        connections=connections,
        timeout_ms=timeout_ms,
    )
    out = scratch / "open-loop.npy"
    command = [sys.executable, "-m", "benchmarks.open_loop", json.dumps(asdict(plan)), str(out)]
    subprocess.run(command, check=True, timeout=seconds + _PATIENCE_S)
    return Outcome(np.load(out), target, seconds)
