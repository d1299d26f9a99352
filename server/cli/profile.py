"""``adtargeting profile``: everything that is held about a person, and its erasure."""

from argparse import ArgumentParser, Namespace

from adtargeting.v1 import profile_pb2 as pb

from server.cli.client import Client, as_json
from server.cli.command import Command, add_subject, subject_of
from server.cli.failures import OK
from server.cli.shell import Shell


def arguments(parser: ArgumentParser) -> None:
    """Take what to do, and to whom."""
    parser.add_argument("action", choices=("show", "delete"), help="show all that is held, or erase the profile")
    add_subject(parser)
    parser.add_argument(
        "--json", action="store_true", help="print the receipt of an erasure as JSON; `show` always does"
    )


def run(given: Namespace, shell: Shell) -> int:
    """Show or delete."""
    with Client(shell.settings().grpc_address) as client:
        if given.action == "show":
            held = client.call(client.profiles.GetProfile, pb.GetProfileRequest(**subject_of(given)))
            shell.write(as_json(held))
            return OK
        receipt = client.call(client.profiles.DeleteProfile, pb.DeleteProfileRequest(**subject_of(given)))
    if given.json:
        shell.write(as_json(receipt))
    else:
        shell.out.print(f"erased: {receipt.keys_removed} keys of the subject kept as {receipt.subject_pseudonym}")
        shell.out.print("A stored choice stays: an opt-out outlives the profile.")
    return OK


PROFILE = Command(arguments, run)
