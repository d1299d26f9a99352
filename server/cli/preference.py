"""``adtargeting opt-out`` and ``opt-in``: store a person's choice."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import date
from functools import partial

from adtargeting.v1 import preference_pb2 as pb

from server.cli.command import Command, add_subject, subject_of, text
from server.cli.connection import as_json, open_client
from server.cli.failures import OK
from server.cli.shell import Shell, plain

_SOURCES = {
    name.removeprefix("SOURCE_").lower().replace("_", "-"): name
    for name, number in pb.Source.items()
    if number != pb.SOURCE_UNSPECIFIED
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the subject and the details of the choice."""
    add_subject(parser)
    parser.add_argument(
        "--source", choices=_SOURCES, default="support", help="where the choice was made (default: support)"
    )
    parser.add_argument("--change-id", type=text, default="", metavar="ID", help="idempotency key of this change")
    parser.add_argument("--ticket", type=text, default="", metavar="REFERENCE", help="why, such as a case number")
    parser.add_argument("--country", type=text, default="", metavar="CODE", help="country of residence to store")
    parser.add_argument("--language", type=text, default="", metavar="TAG", help="language to store")
    parser.add_argument("--birth-date", type=_date, metavar="YYYY-MM-DD", help="birth date to store")
    parser.add_argument("--json", action="store_true", help="print the receipt as JSON")


def run(options: Namespace, shell: Shell, choice: pb.Choice) -> int:
    """Store the choice and print the receipt."""
    request = pb.SetPreferenceRequest(
        choice=choice,
        source=_SOURCES[options.source],
        change_id=options.change_id,
        ticket=options.ticket,
        country=options.country,
        language=options.language,
        birth_date=options.birth_date,
        **subject_of(options),
    )
    with open_client(shell) as client:
        receipt = client.call(client.preferences.SetPreference, request)
    if options.json:
        shell.write(as_json(receipt))
    else:
        _show(shell, receipt, choice)
    return OK


def _show(shell: Shell, receipt: pb.SetPreferenceResponse, choice: pb.Choice) -> None:
    name = pb.Choice.Name(choice).removeprefix("CHOICE_").lower().replace("_", " ")
    durability = pb.Durability.Name(receipt.durability).removeprefix("DURABILITY_")
    shell.out.print(
        f"{name}: stored as version {receipt.version}, {durability} ({receipt.replicas_acknowledged} replicas)"
    )
    if receipt.missing_confirmations:
        shell.out.print(f"Not confirmed in time by: {', '.join(_confirmations(receipt))}")
    if receipt.set_cookie:
        shell.out.print("Send this header to the browser:")
        shell.write(f"Set-Cookie: {plain(receipt.set_cookie)}")
    elif choice == pb.CHOICE_OPT_IN:
        shell.out.print("A TOptOut cookie may still limit this person's browsers; opt in with --device to remove it.")


def _confirmations(receipt: pb.SetPreferenceResponse) -> list[str]:
    names = [pb.Confirmation.Name(each) for each in receipt.missing_confirmations]
    return [name.removeprefix("CONFIRMATION_").lower() for name in names]


def _date(value: str) -> pb.Date:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ArgumentTypeError("must be a date such as 1990-12-31") from None
    return pb.Date(year=day.year, month=day.month, day=day.day)


OPT_OUT = Command(add_arguments, partial(run, choice=pb.CHOICE_OPT_OUT))
OPT_IN = Command(add_arguments, partial(run, choice=pb.CHOICE_OPT_IN))
