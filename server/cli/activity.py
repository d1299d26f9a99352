"""``adtargeting activity``: record one activity of a person."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime

from adtargeting.v1 import profile_pb2 as pb
from adtargeting.v1.targeting_pb2 import ClientSettings, PrivacySignals
from google.protobuf.timestamp_pb2 import Timestamp

from server.cli.client import Client, as_json
from server.cli.command import Command, add_subject, subject_of, text
from server.cli.failures import OK, Refused
from server.cli.reason_text import names_of
from server.cli.shell import Shell, plain

_KINDS = {
    name.removeprefix("ACTIVITY_KIND_").lower().replace("_", "-"): name
    for name, number in pb.ActivityKind.items()
    if number != pb.ACTIVITY_KIND_UNSPECIFIED
}


def arguments(parser: ArgumentParser) -> None:
    """Take one activity."""
    add_subject(parser)
    parser.add_argument("--kind", choices=_KINDS, required=True, help="what the person did")
    parser.add_argument(
        "--segment", action="append", type=text, default=[], metavar="ID", help="a segment it belongs to; repeatable"
    )
    parser.add_argument("--destination", type=text, default="", metavar="CODE", help="the country called")
    parser.add_argument("--ad", type=text, default="", metavar="ID", help="the ad seen or clicked")
    parser.add_argument(
        "--activity-id", type=text, default="", metavar="ID", help="one id an activity: repeating it is safe"
    )
    parser.add_argument("--occurred-at", type=_time, metavar="TIME", help="ISO 8601; default: now")
    parser.add_argument("--country", type=text, default="", metavar="CODE", help="the country set in the client")
    parser.add_argument("--cookie", type=text, default="", metavar="HEADER", help="the Cookie header it came with")
    parser.add_argument("--gpc", action="store_true", help="Global Privacy Control (Sec-GPC: 1)")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def run(given: Namespace, shell: Shell) -> int:
    """Record it, and print what became of it."""
    activity = pb.Activity(
        activity_id=given.activity_id,
        kind=_KINDS[given.kind],
        segment_ids=given.segment,
        destination_country=given.destination,
        ad_id=given.ad,
        occurred_at=given.occurred_at or _timestamp(datetime.now(UTC)),
        cookie_header=given.cookie,
        signals=PrivacySignals(global_privacy_control=given.gpc),
        client=ClientSettings(country=given.country),
        **subject_of(given),
    )
    with Client(shell.settings().grpc_address) as client:
        recorded = client.call(client.profiles.RecordActivity, pb.RecordActivityRequest(activities=[activity]))
    result = recorded.results[0]
    if given.json:
        shell.write(as_json(result))
    elif result.outcome != pb.OUTCOME_REJECTED:
        shell.out.print(_said(result))
    if result.outcome == pb.OUTCOME_REJECTED:
        raise Refused(f"rejected for its field {plain(result.field)}")
    return OK


def _said(result: pb.ActivityResult) -> str:
    outcome = pb.Outcome.Name(result.outcome).removeprefix("OUTCOME_").lower()
    return f"{outcome}: {names_of(result.reasons)}" if result.reasons else outcome


def _time(value: str) -> Timestamp:
    try:
        moment = datetime.fromisoformat(value)
        return _timestamp(moment if moment.tzinfo else moment.astimezone())
    except (ValueError, OverflowError):
        raise ArgumentTypeError("is no time such as 2026-01-31T12:00:00Z") from None


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


ACTIVITY = Command(arguments, run)
