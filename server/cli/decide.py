"""``adtargeting decide``: decide one ad request and show the decision."""

from argparse import Namespace

from server.cli.client import Client, as_json
from server.cli.command import Command
from server.cli.failures import OK
from server.cli.request import add_request, request_from
from server.cli.shell import Shell
from server.cli.show import show_decision


def run(options: Namespace, shell: Shell) -> int:
    """Send the request to the running service and print the decision."""
    request = request_from(options)
    with Client(shell.settings().grpc_address) as client:
        decision = client.call(client.targeting.Decide, request)
    if options.json:
        shell.write(as_json(decision))
    else:
        show_decision(shell.out, decision)
    return OK


DECIDE = Command(add_request, run)
