"""The JSON Schema (draft 2020-12) of one line of a file of decision records, made from the types that write it.

Invariant: every record that is written keeps it.
"""

import msgspec

from targeting.decision_records.form import DecisionRecord, PolicyRecord
from targeting.policy.json_schema import DIALECT, Json


def record_schema() -> Json:
    """Return the schema of a line: a decision, or the policy that decided those after it."""
    return {"$schema": DIALECT, "title": "adtargeting decision record"} | msgspec.json.schema(
        DecisionRecord | PolicyRecord
    )
