"""``adtargeting decide``: decide one ad request and show the decision."""

from argparse import ArgumentParser, Namespace

from server.cli.command import Command
from server.cli.connection import as_json, open_client
from server.cli.country_notes import country_notes
from server.cli.failures import OK
from server.cli.request import add_dry_run, add_request, request_from
from server.cli.shell import Shell
from server.cli.show import show_decision


def run(options: Namespace, shell: Shell) -> int:
    """Send the request to the running service and print the decision."""
    request = request_from(options)
    request.dry_run = options.dry_run
    with open_client(shell) as client:
        decision = client.call(client.targeting.Decide, request)
    if options.json:
        shell.write(as_json(decision))
    else:
        show_decision(shell.out, decision)
        for note in country_notes(request, decision):
            shell.out.print(note)
    return OK


def add_arguments(parser: ArgumentParser) -> None:
    """Add the request, and whether it may store anything."""
    add_request(parser)
    add_dry_run(parser, default=False)


DECIDE = Command(add_arguments, run)
