"""``python -m benchmarks [--quick]``: run the whole suite and show what it found.

Exit status 0 whatever the figures are, 1 when a sample was void, 2 when a tool is missing, a server does not
start, or no knee was found.
"""

import argparse
import sys
import time

from rich.console import Console

from benchmarks.load.canaries import measure_canaries
from benchmarks.load.h2load import MissingTool, Voided, find_h2load
from benchmarks.load.processes import NotStarted
from benchmarks.load.scene import WrongAnswer
from benchmarks.micro.core import measure_core
from benchmarks.micro.proof import REPLAYED, measure_proof
from benchmarks.micro.timing import found_cases, timed
from benchmarks.reports.html_report import write_report
from benchmarks.reports.report import (
    new_console,
    show_arrivals,
    show_core,
    show_figures,
    show_load,
    show_machine,
    show_timed,
)
from benchmarks.suite import FULL, QUICK, Extent, measure_load

_CANARIES_S = {QUICK: 2.0, FULL: 5.0}


def main() -> int:
    """Run the suite."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the service on this machine.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter samples: at most 90 seconds")
    parser.add_argument("--only", choices=("load", "core", "proof", "small"), help="one part alone")
    arguments = parser.parse_args()
    console = new_console()
    try:
        return _run(console, QUICK if arguments.quick else FULL, arguments.only)
    except (MissingTool, NotStarted, Voided, WrongAnswer) as problem:
        sys.stderr.write(f"benchmarks: {problem}\n")
        return 2


def _run(console: Console, extent: Extent, only: str | None) -> int:
    started, voided = time.monotonic(), 0
    if only in (None, "load"):
        find_h2load()
    show_machine(console)
    parts = measure_core(extent.repeats, extent.loops) if only in (None, "core") else []
    if parts:
        show_core(console, parts, extent.repeats)
    if only in (None, "proof"):
        replayed = REPLAYED // 10 if extent is QUICK else REPLAYED
        proof = measure_proof(extent.repeats, extent.loops, replayed)
        show_figures(console, [*proof, *measure_canaries(_CANARIES_S[extent])])
    if only in (None, "load"):
        loaded = measure_load(extent)
        show_load(console, loaded)
        show_arrivals(console, loaded)
        show_figures(console, loaded.figures)
        console.print(f"Report: {write_report(loaded, parts, quick=extent is QUICK)}")
        voided = sum(len(series.voided) for series in loaded.series.values()) + bool(loaded.problem)
    if only in (None, "small"):
        show_timed(console, [timed(case, extent.loops) for _, cases in found_cases() for case in cases])
    console.print(f"Took {time.monotonic() - started:.0f} s; {voided} samples void.")
    return 1 if voided else 0


if __name__ == "__main__":
    sys.exit(main())
