"""Target for the lines of decision records: what may be raised, and what must hold for whatever is accepted."""

from targeting.decision_records.explanation import record_checks
from targeting.decision_records.form import DecisionRecord
from targeting.decision_records.lines import LineUnreadable, line_of, read_line
from targeting.decision_records.replay import replayed
from targeting.policy.directions import Effect
from targeting.policy.policy import PolicyError, policy_from
from tests.targeting.rejudging.policies import VARIANTS

_POLICIES = tuple(VARIANTS.values())


def decision_record(data: bytes) -> None:
    """A record that is accepted is written again as it was, shown, and replayed under any policy."""
    try:
        record = read_line(data)
    except LineUnreadable:
        return
    assert read_line(line_of(record)) == record
    if not isinstance(record, DecisionRecord):
        try:
            policy_from(record.settings)
        except PolicyError:
            return
        return
    assert all(check.signal for check in record_checks(record))
    for policy in _POLICIES[len(data) % 3 :: 3]:
        assert all(change.effect in {Effect.LOOSENS, Effect.TIGHTENS} for change in replayed(record, policy))
