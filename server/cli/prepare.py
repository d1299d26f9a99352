"""``adtargeting prepare``: what becomes of a bid request for each network, as a diff with reasons."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adtargeting.v1 import targeting_pb2 as pb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.cli.bid_request_diff import Change, Difference, differences
from server.cli.client import Client, as_json
from server.cli.command import Command, text
from server.cli.failures import OK, Misused
from server.cli.reason_text import names_of
from server.cli.shell import Shell, plain, table
from server.cli.show import show_mode

_STYLES = {Change.REMOVED: "red", Change.CHANGED: "yellow", Change.ADDED: "green"}
_LONGEST_VALUE = 60


def arguments(parser: ArgumentParser) -> None:
    """Take the bid request, the networks, and who it is about."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the bid request, OpenRTB 2.5 or 2.6 as JSON")
    parser.add_argument("--network", action="append", type=text, default=[], metavar="ID", help="a network; repeatable")
    parser.add_argument("--account", type=text, default="", metavar="ID", help="the signed-in account")
    parser.add_argument(
        "--linked", action="append", type=text, default=[], metavar="ID", help="a linked account; repeatable"
    )
    parser.add_argument("--device", type=text, default="", metavar="ID", help="the browser or device")
    parser.add_argument("--country", type=text, default="", metavar="CODE", help="the country set in the client")
    parser.add_argument("--language", type=text, default="", metavar="TAG", help="the language set in the client")
    parser.add_argument("--targeted-ads-off", action="store_true", help="the privacy switch in the client")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")


def run(given: Namespace, shell: Shell) -> int:
    """Ask the running service."""
    bid_request = _read(given.file)
    with Client(shell.settings().grpc_address) as client:
        answer = client.call(client.targeting.PrepareBidRequest, request_from(given, bid_request))
    if given.json:
        shell.write(as_json(answer))
    else:
        show_preparation(shell.out, bid_request, answer)
    return OK


def request_from(given: Namespace, bid_request: bytes) -> pb.PrepareBidRequestRequest:
    """Build the call that the arguments describe."""
    return pb.PrepareBidRequestRequest(
        bid_request=bid_request,
        account_id=given.account,
        linked_account_ids=given.linked,
        device_id=given.device,
        client=pb.ClientSettings(
            country=given.country, language=given.language, targeted_ads_off=given.targeted_ads_off
        ),
        third_party_networks=given.network,
    )


def show_preparation(out: Console, bid_request: bytes, answer: pb.PrepareBidRequestResponse) -> None:
    """Print the decision, and for each network what becomes of the bid request."""
    before: dict[str, Any] = json.loads(bid_request)
    prepared = {each.network_id: each.bid_request for each in answer.bid_requests}
    show_mode(out, answer.decision)
    if not answer.decision.networks:
        out.print("name the networks that it is for with --network ID, to see what each would get")
    for network in answer.decision.networks:
        out.print()
        out.print(Text(plain(network.network_id), "bold"), _said_of(network))
        if (after := prepared.get(network.network_id)) is not None:
            out.print(differences_table(differences(before, json.loads(after))))


def differences_table(changes: Iterable[Difference]) -> Table:
    """Give the table of what differs: the field, what it was and is, and why."""
    made = table("", "field", "was, and is", "because")
    for column in made.columns[1:]:
        column.no_wrap, column.overflow = False, "fold"
    for each in changes:
        values = " → ".join(_short(plain(value)) for value in (each.before, each.after) if value)
        made.add_row(each.change.value, plain(each.path), values, each.why, style=_STYLES[each.change])
    return made


def _said_of(network: pb.NetworkDecision) -> str:
    if not network.contact_allowed:
        return f"may not be contacted: {names_of(network.reasons)}"
    answers = {
        "profile": network.profile_shared,
        "id": network.id_shared,
        "precise position": network.precise_geo_allowed,
    }
    withheld = [name for name, given in answers.items() if not given]
    given = [name for name, given in answers.items() if given]
    said = f"may be contacted; gets {', '.join(given) or 'limited features only'}"
    return f"{said}; {', '.join(withheld)} withheld: {names_of(network.reasons)}" if withheld else said


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise Misused(f"{path} cannot be read: {problem.strerror}") from problem


PREPARE = Command(arguments, run)
