"""Files of decision records, read line by line into a replay; a line that cannot be read is named and counted."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from targeting.decision_records.form import DecisionRecord, PolicyRecord
from targeting.decision_records.lines import MAX_LINE_BYTES, LineUnreadable, read_line
from targeting.decision_records.replay import Replay
from targeting.policy.policy import Policy, PolicyError, policy_from

_MAX_NAMED: Final = 20


class RecordReading:
    """What was read: the decisions, in the replay, and the policies that decided them, by version."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.policies: dict[str, Policy] = {}
        self.bad_lines = 0
        """How many lines could not be read."""
        self.named: list[str] = []
        """The first of them: file, number of the line, and why."""

    def read(self, path: Path) -> None:
        """Read a file. Raises ``OSError``."""
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file), start=1):
                self._take_in(line, f"{path}:{number}")

    def _take_in(self, line: bytes, place: str) -> None:
        if line.isspace():
            return
        try:
            record = read_line(line)
            if isinstance(record, DecisionRecord):
                self.replay.add(record)
            else:
                self.policies[record.version] = _policy(record)
        except LineUnreadable as problem:
            self.bad_lines += 1
            if len(self.named) < _MAX_NAMED:
                self.named.append(f"{place}: {problem}")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines; one beyond the limit is cut there, and its rest skipped."""
    while line := file.readline(MAX_LINE_BYTES):
        yield line
        while len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES)


def _policy(record: PolicyRecord) -> Policy:
    try:
        return policy_from(record.settings)
    except PolicyError as problem:
        raise LineUnreadable(f"is a policy that this version cannot read: {problem.key}") from None
