"""``adtargeting serve``: run the service until SIGTERM or SIGINT; SIGHUP reloads the policy."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace

from server.cli.command import Command
from server.cli.failures import OK
from server.cli.shell import Shell
from server.processes.serving import process_count, run_supervisor
from server.serving import run_service
from server.settings import checked_processes


def add_arguments(parser: ArgumentParser) -> None:
    """Add the number of processes."""
    parser.add_argument(
        "--processes",
        metavar="N|auto",
        help="worker processes behind the one port (ADTARGETING_PROCESSES); auto: one on two cores or fewer, else one "
        "for each core but one",
    )


def run(options: Namespace, shell: Shell) -> int:
    """Run the service."""
    settings = shell.settings()
    if options.processes is not None:
        settings = replace(settings, processes=checked_processes("--processes", options.processes))
    processes = process_count(settings)
    if processes == 1:
        run_service(settings)
    else:
        run_supervisor(settings, processes)
    return OK


SERVE = Command(add_arguments, run)
