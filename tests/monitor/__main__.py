"""``make monitor``: a real Prometheus watches a running service under load and faults; less than three minutes.

Prints whether every metric is there and moves, with which values of its labels, and whether the alerts of some faults
fire and resolve. The rules are those of ``deploy/prometheus`` with all times divided by 60. Exit status 0 when all is
as it must be, 1 when something is missed, 2 when it cannot run.
"""

import sys
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.monitor.callers import Client, connect
from tests.monitor.picture import DashboardPicture
from tests.monitor.prometheus_server import MissingProgram, find_prometheus
from tests.monitor.scene import Scene
from tests.monitor.traffic import activities, choices, targeting
from tests.monitor.trials import FAULTS, KILLED, UNCONFIRMED, Outcome, Stage, Trial
from tests.monitor.variety import everything
from tests.monitor.verdicts import Verdicts, judge, tables

_QUIET_S, _STARTED_S, _LAST_SCRAPES_S = 10.0, 5.0, 3.0
_DEPENDS_ON_THE_MACHINE = {
    "AdtargetingBudgetBurnsFast",
    "AdtargetingBudgetBurnsSlowly",
    "AdtargetingCircuitOpen",
    "AdtargetingLoopLags",
    "AdtargetingRefusals",
    "AdtargetingStoreDoubts",
}
"""Alerts that a slow machine raises without a fault."""


def watch(directory: Path, picture: Path | None) -> tuple[Verdicts, list[Outcome], set[str]]:
    """Run it all; return the verdicts, and the alerts that fired before there was a fault."""
    start_s = time.time()
    with Scene(directory) as scene, ExitStack() as clients:
        for requests in (targeting, activities, choices, everything):
            clients.enter_context(Client(connect(scene.address), requests))
        time.sleep(_QUIET_S)
        early = scene.prometheus.firing() - _DEPENDS_ON_THE_MACHINE
        outcomes = _try_faults(Stage(scene))
        time.sleep(_LAST_SCRAPES_S)
        if picture is not None:
            DashboardPicture(scene.prometheus, start_s + _STARTED_S, time.time()).save(picture)
        return judge(scene.prometheus, start_s, time.time()), outcomes, early


def _try_faults(stage: Stage) -> list[Outcome]:
    killed = Trial(KILLED, stage).run()
    slow = Trial(UNCONFIRMED, stage)
    slow.inject()
    outcomes = [Trial(fault, stage).run() for fault in FAULTS]
    stage.scene.change_policies()
    return [killed, *outcomes, slow.finish()]


def main() -> int:
    """Print the tables."""
    parser = ArgumentParser(prog="python -m tests.monitor", description="Watch a running service with Prometheus.")
    parser.add_argument("--picture", type=Path, metavar="PNG", help="draw the dashboard of the run here as well")
    given = parser.parse_args()
    try:
        find_prometheus()
    except MissingProgram as problem:
        print(f"monitor: {problem}", file=sys.stderr)
        return 2
    began_s = time.monotonic()
    with TemporaryDirectory(prefix="adt-monitor-") as directory:
        verdicts, outcomes, early = watch(Path(directory), given.picture)
    print("\n".join(tables(verdicts, outcomes)))
    print(f"\nBefore any fault: {', '.join(sorted(early)) or 'no alert'}. It took {time.monotonic() - began_s:.0f} s.")
    return 0 if verdicts.hold and all(each.holds for each in outcomes) and not early else 1


if __name__ == "__main__":
    sys.exit(main())
