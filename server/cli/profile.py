"""``adtargeting profile``: show everything stored about a person, or erase the profile."""

from argparse import ArgumentParser, Namespace

from adtargeting.v1 import profile_pb2 as pb

from server.cli.command import Command, add_subject, subject_of
from server.cli.connection import as_json, open_client
from server.cli.failures import OK
from server.cli.shell import Shell, counted


def add_arguments(parser: ArgumentParser) -> None:
    """Add the action and the subject."""
    parser.add_argument("action", choices=("show", "delete"), help="show everything stored, or erase the profile")
    add_subject(parser)
    parser.add_argument(
        "--json", action="store_true", help="print the receipt of an erasure as JSON; `show` always does"
    )


def run(options: Namespace, shell: Shell) -> int:
    """Print everything stored, or erase the profile and print the receipt."""
    with open_client(shell) as client:
        if options.action == "show":
            held = client.call(client.profiles.GetProfile, pb.GetProfileRequest(**subject_of(options)))
            shell.write(as_json(held))
            return OK
        receipt = client.call(client.profiles.DeleteProfile, pb.DeleteProfileRequest(**subject_of(options)))
    if options.json:
        shell.write(as_json(receipt))
    else:
        shell.out.print(f"erased: {counted(receipt.keys_removed, 'key')} of pseudonym {receipt.subject_pseudonym}")
        shell.out.print("The stored choice stays.")
    return OK


PROFILE = Command(add_arguments, run)
