"""What leak canaries cost: the CPU time of an idle service that asks about them, and of one that does not.

Both run at the same time, so whatever else the machine does meets both.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.load.processes import cpu_s, start_service
from benchmarks.reports.figures import Figure

_POLICY: Final = Path(__file__).parents[2] / "policy.example.toml"
_SETTLED_S: Final = 2.0
"""After a second the last canary is in the store, and everything that a start does is over."""


def measure_canaries(seconds: float) -> list[Figure]:
    """Measure for this long; the figures are milliseconds of CPU time in a second."""
    with tempfile.TemporaryDirectory(prefix="adt-bench-canaries-") as folder, ExitStack() as running:
        pids = []
        for canaries in ("yes", "no"):
            directory = Path(folder, canaries)
            directory.mkdir()
            settings = {"ADTARGETING_CANARIES": canaries, "ADTARGETING_POLICY": str(_POLICY)}
            pids.append(running.enter_context(start_service(directory, **settings)).pid)
        time.sleep(_SETTLED_S)
        before = [(cpu_s(pid), time.monotonic()) for pid in pids]
        time.sleep(seconds)
        spent_ms = [
            1000 * (cpu_s(pid) - spent_s) / (time.monotonic() - since_s)
            for pid, (spent_s, since_s) in zip(pids, before, strict=True)
        ]
    asking, idle = spent_ms
    return [
        Figure("CPU of an idle process without leak canaries", idle, 1, "ms/s"),
        Figure("leak canaries, beyond that", asking - idle, 1, "ms/s"),
    ]
