"""A decision record in words, for the page and for the text that goes into a ticket.

Invariant: a record is judged from what it says alone; no store is asked.
"""

from typing import Final

from server.web.inspect.view import (
    BEHAVIOURAL,
    LIMITED,
    AnswerView,
    Comparison,
    NetworkView,
    Verdict,
    explained,
    ladder,
)
from targeting.decision_records.explanation import ExplainedRecord
from targeting.decision_records.form import NetworkFacts
from targeting.decision_records.replay import ReplayedChange
from targeting.model import Mode
from targeting.reasons import Reason

_NOT_RECORDED: Final = "A record holds classes, not values: ask about the request itself for the smallest change."


def recorded_view(recorded: ExplainedRecord, *, is_compared: bool) -> AnswerView:
    """Return what is shown of a record; ``is_compared``: another policy was given."""
    record = recorded.record
    reasons = explained(Reason[name] for name in record.reasons)
    is_behavioural = record.mode == Mode.BEHAVIOURAL.name
    return AnswerView(
        verdict=Verdict(
            BEHAVIOURAL if is_behavioural else LIMITED, reasons, "" if is_behavioural else _NOT_RECORDED, ()
        ),
        ladder=ladder(recorded.checks),
        networks=[_network(network, is_behavioural=is_behavioural) for network in recorded.networks],
        comparison=[_row(change) for change in recorded.changes] if is_compared else None,
        policy_version=record.policy,
    )


def _network(network: NetworkFacts, *, is_behavioural: bool) -> NetworkView:
    """Return the four answers: a record says what a person whom nothing limits would let the network have."""
    allowed = (
        ("contact", network.contact),
        ("profile", is_behavioural and bool(network.fields)),
        ("id", is_behavioural and (network.user_id or network.buyeruid)),
        ("precise position", network.precise_position != "none"),
    )
    because = ", ".join(network.reasons) or ("none" if is_behavioural else "the decision is LIMITED")
    return NetworkView(network.id, [(name, yes, "yes" if yes else f"no: {because}") for name, yes in allowed])


def _row(change: ReplayedChange) -> Comparison:
    depends = f", if {change.unrecorded} does not limit" if change.unrecorded else ""
    return Comparison(change.name, "as recorded", f"{change.effect.value}{depends}")
