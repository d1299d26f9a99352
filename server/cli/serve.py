"""``adtargeting serve``: run the service until SIGTERM or SIGINT; SIGHUP reloads the policy."""

from argparse import Namespace

from server.cli.command import Command, no_arguments
from server.cli.failures import OK
from server.cli.shell import Shell
from server.serving import run_service


def run(_: Namespace, shell: Shell) -> int:
    """Run the service."""
    run_service(shell.settings())
    return OK


SERVE = Command(no_arguments, run)
