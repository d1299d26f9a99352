"""``adtargeting replay``: decide recorded decisions again under another policy."""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from server.cli.command import Command
from server.cli.failures import OK, REFUSED, UsageError
from server.cli.policy_changes import NOT_ALLOWED, add_allowances, is_refused, note_unused, print_change
from server.cli.shell import Shell, counted, plain
from server.decision_records.reading import RecordReading
from server.policy.policy_file import load_policy
from targeting.decision_records.replay import Replay, ReplayedChange
from targeting.decision_records.unrecorded import unrecorded_changes
from targeting.policy.directions import Effect

_MAX_SHOWN: Final = 200
"""Changes that are printed; a refusal is decided by all of them."""
_UNKNOWN: Final = "unknown country"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the files of records, and the loosenings that are allowed."""
    parser.add_argument(
        "records", type=Path, nargs="+", metavar="RECORDS", help="decision records as lines of JSON (docs/records.md)"
    )
    add_allowances(parser)


def run(options: Namespace, shell: Shell) -> int:
    """Replay the records under ``--policy``; refuse a loosening that is not allowed."""
    path = shell.settings().policy
    if not path:
        raise UsageError("--policy: name the policy to decide by")
    reading = _read(options.records, Replay(load_policy(Path(path))))
    changes = reading.replay.changes + unrecorded_changes(reading.replay, reading.policies)
    _print_bad_lines(reading, shell)
    _print_changes(changes, options.allow, shell)
    note_unused(shell, {each.name for each in changes if each.effect is Effect.LOOSENS}, options.allow)
    refused = sum(is_refused(change.name, change.effect, options.allow) for change in changes)
    shell.out.print(_summary(reading, changes, refused))
    return REFUSED if refused else OK


def _read(paths: Sequence[Path], replay: Replay) -> RecordReading:
    reading = RecordReading(replay)
    for path in paths:
        try:
            reading.read(path)
        except OSError as problem:
            raise UsageError(f"{path}: cannot be read: {problem.strerror}") from None
    replay.judge()
    if not replay.decisions:
        raise UsageError(f"{paths[0]}: has no decision record that can be read")
    return reading


def _print_bad_lines(reading: RecordReading, shell: Shell) -> None:
    for line in reading.named:
        shell.out.print(f"not replayed: {plain(line)}")
    if more := reading.bad_lines - len(reading.named):
        shell.out.print(f"not replayed: {counted(more, 'more line')}")


def _print_changes(changes: Counter[ReplayedChange], allowed: Sequence[str], shell: Shell) -> None:
    """Print the changes: what is refused first, then by the number of decisions."""

    def rank(change: ReplayedChange) -> tuple[bool, Effect, int, str]:
        is_accepted = not is_refused(change.name, change.effect, allowed)
        return is_accepted, change.effect, -changes[change], change.name

    ordered = sorted(changes, key=rank)
    for change in ordered[:_MAX_SHOWN]:
        print_change(shell, change.name, change.effect, _text(change, changes[change]), allowed)
    if len(ordered) > _MAX_SHOWN:
        shell.out.print(f"{counted(len(ordered) - _MAX_SHOWN, 'more change')}, each of fewer decisions")


def _text(change: ReplayedChange, decisions: int) -> str:
    """Return how many decisions change, where, and why."""
    parts = [counted(decisions, "decision")]
    if change.reason is not None:
        parts += [change.reason.name, change.country or _UNKNOWN]
    if change.network:
        parts.append(f"network {plain(change.network)}")
    if change.unrecorded:
        parts.append(f"not recorded: {change.unrecorded}")
    return ", ".join(parts)


def _summary(reading: RecordReading, changes: Iterable[ReplayedChange], refused: int) -> str:
    effects = Counter(change.effect for change in changes)
    return (
        f"{counted(reading.replay.decisions.total(), 'decision')} replayed under policy "
        f"{reading.replay.policy.version}: {counted(effects[Effect.LOOSENS], 'loosening')}, "
        f"{counted(effects[Effect.TIGHTENS], 'tightening')}, {counted(refused, *NOT_ALLOWED)}; "
        f"{counted(reading.bad_lines, 'line')} not replayed"
    )


REPLAY = Command(add_arguments, run)
