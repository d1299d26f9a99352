"""The answer to a question: the decision with every check, the smallest changes, the networks, another policy.

Invariant: it reads, counts nothing and stores nothing.
"""

import json
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from server.calls.call_context import CallContext
from server.calls.explain import trace_decision
from server.web.inspect.question import Question
from targeting.decision import Decision, Rulebook
from targeting.explain import Check, DecisionTrace, explain
from targeting.inspection.changes import Change, after, request_changes
from targeting.inspection.situation import Situation
from targeting.inspection.smallest import smallest_changes
from targeting.networks import NetworkDecision
from targeting.openrtb.bid_request import NetworkRequestBuilder
from targeting.openrtb.difference import Difference, differences
from targeting.reasons import Reason

_OF_THE_STORE: Final = ("preference record", "age", "profile", "store")


class NetworkFinding(NamedTuple):
    """What one network gets, and how its bid request differs from the one that came in."""

    decision: NetworkDecision
    differences: Sequence[Difference]


class Finding(NamedTuple):
    """Everything that the page shows. ``smallest`` is None where the store did not answer."""

    decision: Decision
    checks: Sequence[Check]
    asked_next: Sequence[Check]
    """The store's checks, which a request that limits by itself does not come to."""
    smallest: Sequence[Sequence[Change]] | None
    networks: Sequence[NetworkFinding]
    other: Decision | None


def find(question: Question, context: CallContext) -> Finding:
    """Decide and explain. Raises ``InvalidRequest``."""
    rulebook = context.rulebook()
    trace, _ = trace_decision(question.request, context, rulebook)
    situation, next_trace = _situation(question, trace, rulebook, context)
    other = None
    if question.other_policy is not None:
        other_rules = Rulebook(question.other_policy, rulebook.id_key)
        other = trace_decision(question.request, context, other_rules)[0].decision
    return Finding(
        decision=trace.decision,
        checks=explain(trace),
        asked_next=_store_checks(next_trace) if next_trace else (),
        smallest=None if situation is None else smallest_changes(situation, rulebook, time.time()),
        networks=_networks(question, trace, rulebook),
        other=other,
    )


def _situation(
    question: Question, trace: DecisionTrace, rulebook: Rulebook, context: CallContext
) -> tuple[Situation | None, DecisionTrace | None]:
    """Return the situation with the records of everyone named, and where they were not read yet, a trace that did."""
    decider, fetcher, _ = context.decisions
    naps = tuple(nap for text in trace.item.cookies.naps if (nap := context.open_nap(text)) is not None)
    bare = Situation(question.request, {}, naps)
    lifted = question.request if trace.item.subjects else after(bare, request_changes(bare, rulebook)).request
    planned = decider.plan([lifted], rulebook.policy)
    stored = trace.stored if trace.item.subjects else fetcher.fetch(planned.subjects, context.budget_s)
    if isinstance(stored, Reason):
        return None, None
    situation = bare._replace(records=dict(zip(planned.subjects, stored, strict=True)))
    if trace.item.subjects or not planned.subjects:
        return situation, None
    return situation, trace_decision(lifted, context, rulebook)[0]


def _store_checks(trace: DecisionTrace) -> list[Check]:
    return [check for check in explain(trace) if check.signal.startswith(_OF_THE_STORE)]


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
