"""``adtargeting prepare``: show the bid request that each network would receive, as a diff with causes."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adtargeting.v1 import targeting_pb2 as pb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.cli.command import Command, text
from server.cli.connection import as_json, open_client
from server.cli.failures import OK, UsageError
from server.cli.request import add_dry_run
from server.cli.shell import Shell, plain, table
from server.cli.show import show_mode
from targeting.inspection.reason_text import names_of
from targeting.openrtb.difference import ChangeKind, Difference, differences

_STYLES = {ChangeKind.REMOVED: "red", ChangeKind.CHANGED: "yellow", ChangeKind.ADDED: "green"}
_MAX_VALUE_CHARACTERS = 60


def add_arguments(parser: ArgumentParser) -> None:
    """Add the bid request, the networks and the subject."""
    parser.add_argument("file", type=Path, metavar="FILE", help="OpenRTB 2.5 or 2.6 bid request as JSON")
    parser.add_argument(
        "--network", action="append", type=text, default=[], metavar="ID", help="network id; repeatable"
    )
    parser.add_argument("--account", type=text, default="", metavar="ID", help="id of the signed-in account")
    parser.add_argument(
        "--linked", action="append", type=text, default=[], metavar="ID", help="linked account; repeatable"
    )
    parser.add_argument("--device", type=text, default="", metavar="ID", help="browser or device id")
    parser.add_argument("--country", type=text, default="", metavar="CODE", help="country set in the client")
    parser.add_argument("--language", type=text, default="", metavar="TAG", help="language set in the client")
    parser.add_argument("--targeted-ads-off", action="store_true", help="targeted ads are turned off in the client")
    add_dry_run(parser, default=True)
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")


def run(options: Namespace, shell: Shell) -> int:
    """Send the bid request to the running service and print what each network would receive."""
    bid_request = _read(options.file)
    with open_client(shell) as client:
        answer = client.call(client.targeting.PrepareBidRequest, request_from(options, bid_request))
    if options.json:
        shell.write(as_json(answer))
    else:
        show_preparation(shell.out, bid_request, answer)
    return OK


def request_from(options: Namespace, bid_request: bytes) -> pb.PrepareBidRequestRequest:
    """Return the call that the options describe."""
    return pb.PrepareBidRequestRequest(
        bid_request=bid_request,
        account_id=options.account,
        linked_account_ids=options.linked,
        device_id=options.device,
        client=pb.ClientSettings(
            country=options.country, language=options.language, targeted_ads_off=options.targeted_ads_off
        ),
        third_party_networks=options.network,
        dry_run=options.dry_run,
    )


def show_preparation(out: Console, bid_request: bytes, answer: pb.PrepareBidRequestResponse) -> None:
    """Print the decision and, for each network, the changes to the bid request."""
    before: dict[str, Any] = json.loads(bid_request)
    prepared = {each.network_id: each.bid_request for each in answer.bid_requests}
    show_mode(out, answer.decision)
    if not answer.decision.networks:
        out.print("add --network ID to see what a network would receive")
    for network in answer.decision.networks:
        out.print()
        out.print(Text(plain(network.network_id), "bold"), _answers_text(network))
        if (after := prepared.get(network.network_id)) is not None:
            out.print(differences_table(differences(before, json.loads(after))))


def differences_table(changed: Iterable[Difference]) -> Table:
    """Return the table of changed fields: path, old and new value, cause."""
    made = table("", "field", "value", "cause")
    for column in made.columns[1:]:
        column.no_wrap, column.overflow = False, "fold"
    for each in changed:
        values = " → ".join(_short(plain(value)) for value in (each.before, each.after) if value)
        made.add_row(each.kind.value, plain(each.path), values, each.cause, style=_STYLES[each.kind])
    return made


def _answers_text(network: pb.NetworkDecision) -> str:
    if not network.contact_allowed:
        return f"may not be contacted: {names_of(network.reasons)}"
    answers = {
        "profile": network.profile_shared,
        "id": network.id_shared,
        "precise position": network.precise_geo_allowed,
    }
    withheld = [name for name, allowed in answers.items() if not allowed]
    shared = [name for name, allowed in answers.items() if allowed]
    summary = f"may be contacted; receives {', '.join(shared) or 'limited features only'}"
    return f"{summary}; {', '.join(withheld)} withheld: {names_of(network.reasons)}" if withheld else summary


def _short(value: str) -> str:
    return value if len(value) <= _MAX_VALUE_CHARACTERS else f"{value[: _MAX_VALUE_CHARACTERS - 1]}…"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {problem.strerror}") from problem


PREPARE = Command(add_arguments, run)
