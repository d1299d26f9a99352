"""The answer to a question: the decision with every check, the smallest changes, the networks, another policy.

Invariant: it reads, counts nothing and stores nothing.
"""

import json
import time
from collections.abc import Sequence
from typing import NamedTuple

from server.calls.call_context import CallContext
from server.calls.explain import trace_decision
from server.web.inspect.question import Question
from targeting.decision import Decision, Rulebook
from targeting.explanation.checks import Check, DecisionTrace
from targeting.explanation.explain import explain
from targeting.inspection.changes import Change
from targeting.inspection.situation import Situation
from targeting.inspection.smallest import MinimalSets, smallest_changes
from targeting.networks import NetworkDecision
from targeting.openrtb.bid_request import NetworkRequestBuilder
from targeting.openrtb.difference import Difference, differences
from targeting.reasons import Reason
from targeting.subjects.request_subjects import subjects_of


class NetworkFinding(NamedTuple):
    """What one network gets, and how its bid request differs from the one that came in."""

    decision: NetworkDecision
    differences: Sequence[Difference]


class Finding(NamedTuple):
    """Everything that the page shows. ``smallest`` is None where the store did not answer."""

    decision: Decision
    checks: Sequence[Check]
    smallest: MinimalSets[Change] | None
    networks: Sequence[NetworkFinding]
    other: Decision | None


def find(question: Question, context: CallContext) -> Finding:
    """Decide and explain. Raises ``InvalidRequest``."""
    rulebook = context.rulebook()
    trace, _ = trace_decision(question.request, context, rulebook)
    situation = _situation(question, trace, context)
    other = None
    if question.other_policy is not None:
        other_rules = Rulebook(question.other_policy, rulebook.id_key)
        other = trace_decision(question.request, context, other_rules)[0].decision
    return Finding(
        decision=trace.decision,
        checks=explain(trace),
        smallest=None if situation is None else smallest_changes(situation, rulebook, time.time()),
        networks=_networks(question, trace, rulebook),
        other=other,
    )


def _situation(question: Question, trace: DecisionTrace, context: CallContext) -> Situation | None:
    """Return everything that the decision was made from; None where the store did not answer."""
    if isinstance(trace.stored, Reason):
        return None
    naps = tuple(nap for text in trace.item.cookies.naps if (nap := context.open_nap(text)) is not None)
    subjects = trace.item.subjects or subjects_of(trace.item.request, trace.item.cookies)
    return Situation(question.request, dict(zip(subjects, trace.stored, strict=True)), naps)


def _networks(question: Question, trace: DecisionTrace, rulebook: Rulebook) -> list[NetworkFinding]:
    if question.bid_request is None or question.bid_request_json is None:
        return [NetworkFinding(network, ()) for network in trace.decision.networks]
    builder = NetworkRequestBuilder(question.bid_request, trace.decision.limited, rulebook.policy)
    return [
        NetworkFinding(
            network,
            differences(question.bid_request_json, json.loads(builder.for_network(network)))
            if network.contact_allowed
            else (),
        )
        for network in trace.decision.networks
    ]
