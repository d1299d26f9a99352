"""``adtargeting activity``: record one activity of a person."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime

from adtargeting.v1 import profile_pb2 as pb
from adtargeting.v1.targeting_pb2 import ClientSettings, PrivacySignals
from google.protobuf.timestamp_pb2 import Timestamp

from server.cli.command import Command, add_subject, subject_of, text
from server.cli.connection import as_json, open_client
from server.cli.failures import OK, Refused
from server.cli.shell import Shell, plain
from targeting.inspection.reason_text import names_of

_KINDS = {
    name.removeprefix("ACTIVITY_KIND_").lower().replace("_", "-"): name
    for name, number in pb.ActivityKind.items()
    if number != pb.ACTIVITY_KIND_UNSPECIFIED
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of one activity."""
    add_subject(parser)
    parser.add_argument("--kind", choices=_KINDS, required=True, help="kind of the activity")
    parser.add_argument(
        "--segment", action="append", type=text, default=[], metavar="ID", help="segment id; repeatable"
    )
    parser.add_argument("--destination", type=text, default="", metavar="CODE", help="country that was called")
    parser.add_argument("--ad", type=text, default="", metavar="ID", help="id of the ad that was shown or clicked")
    parser.add_argument("--activity-id", type=text, default="", metavar="ID", help="idempotency key of this activity")
    parser.add_argument("--occurred-at", type=_time, metavar="TIME", help="when it happened, ISO 8601 (default: now)")
    parser.add_argument("--country", type=text, default="", metavar="CODE", help="country set in the client")
    parser.add_argument("--cookie", type=text, default="", metavar="HEADER", help="Cookie header of the activity")
    parser.add_argument("--gpc", action="store_true", help="Global Privacy Control (Sec-GPC: 1)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: Namespace, shell: Shell) -> int:
    """Record the activity and print its outcome."""
    activity = pb.Activity(
        activity_id=options.activity_id,
        kind=_KINDS[options.kind],
        segment_ids=options.segment,
        destination_country=options.destination,
        ad_id=options.ad,
        occurred_at=options.occurred_at or _timestamp(datetime.now(UTC)),
        cookie_header=options.cookie,
        signals=PrivacySignals(global_privacy_control=options.gpc),
        client=ClientSettings(country=options.country),
        **subject_of(options),
    )
    with open_client(shell) as client:
        recorded = client.call(client.profiles.RecordActivity, pb.RecordActivityRequest(activities=[activity]))
    result = recorded.results[0]
    if options.json:
        shell.write(as_json(result))
    elif result.outcome != pb.OUTCOME_REJECTED:
        shell.out.print(_outcome_text(result))
    if result.outcome == pb.OUTCOME_REJECTED:
        raise Refused(f"rejected: field {plain(result.field)} is invalid")
    return OK


def _outcome_text(result: pb.ActivityResult) -> str:
    outcome = pb.Outcome.Name(result.outcome).removeprefix("OUTCOME_").lower()
    return f"{outcome}: {names_of(result.reasons)}" if result.reasons else outcome


def _time(value: str) -> Timestamp:
    try:
        moment = datetime.fromisoformat(value)
        return _timestamp(moment if moment.tzinfo else moment.astimezone())
    except (ValueError, OverflowError):
        raise ArgumentTypeError("must be an ISO 8601 time such as 2026-01-31T12:00:00Z") from None


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


ACTIVITY = Command(add_arguments, run)
