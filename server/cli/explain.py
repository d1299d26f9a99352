"""``adtargeting explain``: the decision on one ad request, and every check behind it."""

from argparse import Namespace
from collections.abc import Iterable, Sequence

from adtargeting.v1 import targeting_pb2 as pb
from rich.console import Console
from rich.table import Table

from server.cli.command import Command
from server.cli.connection import as_json, open_client
from server.cli.country_notes import country_notes
from server.cli.failures import OK
from server.cli.request import add_request, request_from
from server.cli.shell import Shell, plain, table
from server.cli.show import show_mode
from targeting.inspection.reason_text import name_of

_DAY_S = 86_400
_LONGEST_SIGNAL = len("global_privacy_control")


def run(options: Namespace, shell: Shell) -> int:
    """Send the request to the running service and print every check."""
    request = request_from(options)
    with open_client(shell) as client:
        explained = client.call(client.targeting.Explain, request)
    if options.json:
        shell.write(as_json(explained))
    else:
        show_explanation(shell.out, explained)
        for note in country_notes(request, explained.decision):
            shell.out.print(note)
    return OK


def show_explanation(out: Console, explained: pb.ExplainResponse) -> None:
    """Print the mode with its reasons, every check, the rules of the checks that limit, and the decoded strings."""
    show_mode(out, explained.decision)
    out.print(checks_table(explained.checks))
    if explained.country_table_age_s:
        out.print(f"The country table is {explained.country_table_age_s / _DAY_S:,.0f} days old.")
    for line in dict.fromkeys(
        f"{plain(check.signal)}: {plain(check.rule)}" for check in explained.checks if check.reason
    ):
        out.print(line)
    for check in explained.checks:
        if check.fields:
            out.print(f"{plain(check.signal)}: {_fields(check.fields)}")


def checks_table(checks: Sequence[pb.Check]) -> Table:
    """Return the table of the checks, in the order of the reasons."""
    made = table("check", "found", "verdict", "limits by")
    # Sentences wrap; names of the contract stay whole, so that they can be searched for.
    for column in made.columns:
        column.no_wrap, column.overflow = False, "fold"
    made.columns[0].width = _LONGEST_SIGNAL
    made.columns[-1].width = max(len("limits by"), *(len(name_of(check.reason)) for check in checks))
    for check in checks:
        made.add_row(
            # The table has no room for the message that the signal belongs to.
            plain(check.signal.rpartition(".")[2]),
            plain(check.value_class),
            plain(check.verdict),
            name_of(check.reason) if check.reason else "",
            style="bold yellow" if check.reason else None,
        )
    return made


def _fields(fields: Iterable[pb.DecodedField]) -> str:
    return ", ".join(f"{plain(field.name)} = {plain(field.value)}" for field in fields)


EXPLAIN = Command(add_request, run)
