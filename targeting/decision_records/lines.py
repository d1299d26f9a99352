"""Decision records as lines of JSON: written, and read back line by line.

Invariant: a line that cannot be read is a ``LineUnreadable`` that says why and repeats nothing of it.
"""

from itertools import chain
from typing import Final

import msgspec

from targeting.decision_records.form import VERSION, DecisionRecord, PolicyRecord
from targeting.policy.policy import Policy
from targeting.policy.settings_table import settings_table
from targeting.reasons import Reason

MAX_LINE_BYTES: Final = 1 << 20

_DECODER: Final[msgspec.json.Decoder[DecisionRecord | PolicyRecord]] = msgspec.json.Decoder(
    DecisionRecord | PolicyRecord
)
_ENCODER: Final = msgspec.json.Encoder()
_KNOWN_REASONS: Final = frozenset(Reason.__members__)


class LineUnreadable(ValueError):
    """A line is no record that this version can read. The message says why."""


class _Versioned(msgspec.Struct):
    v: int


def line_of(record: DecisionRecord | PolicyRecord) -> bytes:
    """Return a record as a line, with its end."""
    return _ENCODER.encode(record) + b"\n"


def policy_record(policy: Policy) -> PolicyRecord:
    """Return the record of a policy."""
    return PolicyRecord(v=1, version=policy.version, settings=settings_table(policy))


def read_line(line: bytes) -> DecisionRecord | PolicyRecord:
    """Read a line. Raises ``LineUnreadable``."""
    try:
        record = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise LineUnreadable(_problem_of(line, problem)) from None
    if isinstance(record, DecisionRecord):
        if not _KNOWN_REASONS.issuperset(_reasons(record)):
            raise LineUnreadable("has a reason that this version does not know")
        if len({network.id.casefold() for network in record.networks}) < len(record.networks):
            raise LineUnreadable("is damaged: it names a network twice")
    return record


def _reasons(record: DecisionRecord) -> chain[str]:
    return chain(record.reasons, *(network.reasons for network in record.networks))


def _problem_of(line: bytes, problem: Exception) -> str:
    try:
        version = msgspec.json.decode(line, type=_Versioned).v
    except msgspec.ValidationError:
        return "is no decision record"
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "is damaged: not JSON" if line.endswith(b"\n") else "is cut: it ends before its end"
    if version > VERSION:
        return f"has a newer form: version {version}, and this version reads {VERSION}"
    return f"is damaged: {_place_of(problem)}"


def _place_of(problem: Exception) -> str:
    """Return where the form is not kept: the path of msgspec's message, never a value."""
    _, marker, path = str(problem).partition(" - at `")
    return f"not of the form, at {path.rstrip('`')}" if marker else "not of the form"
