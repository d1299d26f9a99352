"""``adtargeting replay``: decide recorded decisions again under another policy."""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from server.cli.command import Command
from server.cli.failures import OK, REFUSED, UsageError
from server.cli.policy_changes import add_allowances, is_refused, print_change
from server.cli.shell import Shell, plain
from server.policy.policy_file import load_policy
from targeting.decision_records.form import DecisionRecord, PolicyRecord
from targeting.decision_records.lines import MAX_LINE_BYTES, LineUnreadable, read_line
from targeting.decision_records.replay import Replay, ReplayedChange
from targeting.decision_records.untold import untold_changes
from targeting.policy.directions import Effect
from targeting.policy.policy import Policy, PolicyError, policy_from

_MAX_NAMED: Final = 20
"""Lines that cannot be read are named up to here, and then counted."""
_MAX_SHOWN: Final = 200
"""Changes that are printed; a refusal is decided by all of them."""
_UNKNOWN: Final = "unknown country"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the files of records, and the loosenings that are allowed."""
    parser.add_argument(
        "records", type=Path, nargs="+", metavar="RECORDS", help="decision records as lines of JSON (docs/records.md)"
    )
    add_allowances(parser)


@dataclass(slots=True)
class _Reading:
    """What was read: the decisions, the policies that decided them, and the lines that could not be read."""

    replay: Replay
    policies: dict[str, Policy] = field(default_factory=dict)
    bad_lines: int = 0
    named: list[str] = field(default_factory=list)


def run(options: Namespace, shell: Shell) -> int:
    """Replay the records under ``--policy``; refuse a loosening that is not allowed."""
    path = shell.settings().policy
    if not path:
        raise UsageError("--policy: name the policy to decide by")
    reading = _Reading(Replay(load_policy(Path(path))))
    for file in options.records:
        _read(file, reading)
    replay = reading.replay
    replay.judge()
    if not replay.decisions:
        raise UsageError(f"{options.records[0]}: has no decision record that can be read")
    changes = replay.changes + untold_changes(replay, reading.policies)
    _print_bad_lines(reading, shell)
    _print_changes(changes, options.allow, shell)
    refused = sum(is_refused(change.name, change.effect, options.allow) for change in changes)
    shell.out.print(_summary(reading, changes, refused))
    return REFUSED if refused else OK


def _read(path: Path, reading: _Reading) -> None:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file), start=1):
                _take_in(line, f"{path}:{number}", reading)
    except OSError as problem:
        raise UsageError(f"{path}: cannot be read: {problem.strerror}") from None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines; one beyond the limit is cut there, and its rest skipped."""
    while line := file.readline(MAX_LINE_BYTES):
        yield line
        while len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES)


def _take_in(line: bytes, place: str, reading: _Reading) -> None:
    if line.isspace():
        return
    try:
        record = read_line(line)
        if isinstance(record, DecisionRecord):
            reading.replay.add(record)
        else:
            reading.policies[record.version] = _policy(record)
    except LineUnreadable as problem:
        reading.bad_lines += 1
        if len(reading.named) < _MAX_NAMED:
            reading.named.append(f"{place}: {problem}")


def _policy(record: PolicyRecord) -> Policy:
    try:
        return policy_from(record.settings)
    except PolicyError as problem:
        raise LineUnreadable(f"is a policy that this version cannot read: {problem.key}") from None


def _print_bad_lines(reading: _Reading, shell: Shell) -> None:
    for line in reading.named:
        shell.out.print(f"not replayed: {plain(line)}")
    if more := reading.bad_lines - len(reading.named):
        shell.out.print(f"not replayed: {more} more lines")


def _print_changes(changes: Counter[ReplayedChange], allowed: Sequence[str], shell: Shell) -> None:
    """Print the changes: what is refused first, then by the number of decisions."""
    ordered = sorted(
        changes.items(),
        key=lambda item: (
            not is_refused(item[0].name, item[0].effect, allowed),
            item[0].effect,
            -item[1],
            item[0].name,
        ),
    )
    for change, decisions in ordered[:_MAX_SHOWN]:
        print_change(shell, change.name, change.effect, _text(change, decisions), allowed)
    if len(ordered) > _MAX_SHOWN:
        shell.out.print(f"{len(ordered) - _MAX_SHOWN} more changes, each of fewer decisions")


def _text(change: ReplayedChange, decisions: int) -> str:
    """Return how many decisions change, where, and why."""
    parts = [f"{decisions} decisions"]
    if change.reason is not None:
        parts += [change.reason.name, change.country or _UNKNOWN]
    if change.network:
        parts.append(f"network {plain(change.network)}")
    if change.untold:
        parts.append(f"not told: {change.untold}")
    return ", ".join(parts)


def _summary(reading: _Reading, changes: Iterable[ReplayedChange], refused: int) -> str:
    effects = Counter(change.effect for change in changes)
    return (
        f"{reading.replay.decisions.total()} decisions replayed under policy {reading.replay.policy.version}: "
        f"{effects[Effect.LOOSENS]} loosenings, {effects[Effect.TIGHTENS]} tightenings, {refused} loosenings that are "
        f"not allowed; {reading.bad_lines} lines not replayed"
    )


REPLAY = Command(add_arguments, run)
