"""``python -m benchmarks.soak [--seconds 600] [--knee CALLS] [--out .soak]``: half the knee for minutes.

The knee (calls a second, closed loop, 64 in flight) is measured first unless it is given. Exit status 1 when something
grows or the circuit opened, 2 when a tool is missing or the service does not start.
"""

import argparse
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from benchmarks import people
from benchmarks.load.arrivals import measure_knee
from benchmarks.load.h2load import MissingTool, Target, Voided
from benchmarks.load.processes import NotStarted
from benchmarks.load.scene import Scene, WrongAnswer, behavioural
from benchmarks.soak.load import OtherCalls, SteadyDecisions
from benchmarks.soak.report import as_text, write
from benchmarks.soak.samples import counts, footprint
from benchmarks.soak.verdict import findings
from benchmarks.soak.windows import View, Window, watch

_POPULATION: Final = 2_000
_WINDOWS: Final = 50
_SHARE: Final = 0.5
_TRIES: Final = 50
_CIRCUIT_OPEN: Final = "circuit open:"


def main() -> int:
    """Soak, and show what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="Load the service for minutes.")
    parser.add_argument("--seconds", type=float, default=600, help="how long to load it (default: 600)")
    parser.add_argument("--knee", type=float, help="its knee in calls a second; default: measured, with h2load")
    parser.add_argument("--out", type=Path, default=Path(".soak"), help="where soak.png and soak.json go")
    given = parser.parse_args()
    try:
        windows, rate = soak(given.seconds, given.knee)
    except (MissingTool, NotStarted, Voided, WrongAnswer) as problem:
        sys.stderr.write(f"soak: {problem}\n")
        return 2
    title = f"{windows[-1].at_s:.0f} s at {rate:,.0f} calls a second, {_SHARE:.0%} of the knee"
    plot = write(windows, given.out, title)
    sys.stdout.write(f"{title}\n{as_text(windows)}Plot: {plot}\n")
    return 1 if findings(windows) else 0


def soak(seconds: float, knee: float | None = None, **settings: str) -> tuple[list[Window], float]:
    """Load a service of its own; return the windows, and the rate in calls a second."""
    with tempfile.TemporaryDirectory(prefix="adt-soak-") as name:
        directory = Path(name)
        with Scene(directory, _POPULATION, **settings) as scene, OtherCalls(scene.service.address):
            target = _target(scene)
            # At the knee a few answers may be limited; that makes it no other.
            rate = _SHARE * (knee or measure_knee(target._replace(least_bytes=0), directory))
            load = SteadyDecisions(target, rate, max(seconds / _WINDOWS, 0.25), directory)
            return watch(load, lambda: _look(scene, directory / "service.log"), seconds), rate


def _target(scene: Scene) -> Target:
    """Return what is called. A first answer may be limited on a busy machine. Raises ``WrongAnswer``."""
    question = behavioural("soak", people.request(0))
    for _ in range(_TRIES):
        with suppress(WrongAnswer):
            return scene.target(question)
    return scene.target(question)


def _look(scene: Scene, log: Path) -> View:
    openings = log.read_text(errors="replace").count(_CIRCUIT_OPEN)
    return View(footprint(scene.service.pid), counts(scene.service.metrics_url), openings)


if __name__ == "__main__":
    sys.exit(main())
