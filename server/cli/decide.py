"""``adtargeting decide``: decide one ad request and show the answer."""

from argparse import Namespace

from server.cli.client import Client, as_json
from server.cli.command import Command
from server.cli.failures import OK
from server.cli.request import add_request, request_from
from server.cli.shell import Shell
from server.cli.show import show_decision


def run(arguments: Namespace, shell: Shell) -> int:
    """Ask the running service."""
    request = request_from(arguments)
    with Client(shell.settings().grpc_address) as client:
        decision = client.call(client.targeting.Decide, request)
    if arguments.json:
        shell.write(as_json(decision))
    else:
        show_decision(shell.out, decision)
    return OK


DECIDE = Command(add_request, run)
