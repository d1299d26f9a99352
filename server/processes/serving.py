"""How many processes serve, and the process of their supervisor."""

import logging
from typing import Final

from server.lifecycle.process_signals import ProcessSignals
from server.logs import FloodFilter
from server.processes.supervisor import Supervisor
from server.processes.usable_cores import usable_cores
from server.serving import run_process
from server.settings import MOST_PROCESSES, Settings

_CORES_OF_ONE_PROCESS: Final = 2
"""On so few cores the service and its store use all there is."""

_LOG = logging.getLogger(__name__)


def process_count(settings: Settings) -> int:
    """Return how many worker processes the settings ask for on this machine."""
    if settings.processes != "auto":
        return int(settings.processes)
    cores = usable_cores()
    return 1 if cores <= _CORES_OF_ONE_PROCESS else min(cores - 1, MOST_PROCESSES)


def run_supervisor(settings: Settings, processes: int) -> None:
    """Serve by several processes until SIGTERM or SIGINT, then drain. Raises the typed errors of the start.

    SIGHUP has every worker read the policy again; a second SIGTERM or SIGINT ends the drain's delay.
    """

    def serve(signals: ProcessSignals, floods: FloodFilter) -> None:
        with Supervisor(settings, processes) as supervisor:
            signals.starting = False
            print(supervisor.start_line(), flush=True)
            supervisor.run(signals, floods)
            _LOG.info("%s received, draining", signals.name)
            supervisor.drain(signals.hurry)

    run_process(settings, serve)
