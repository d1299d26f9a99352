"""Explain: the decision on one request and every check behind it. Reads only."""

from math import isnan

from adtargeting.v1 import targeting_pb2 as pb

from server.calls.call_context import CallContext
from server.messages.enums import enum
from server.messages.reading import parse
from server.messages.translate import ad_request
from targeting.decision import Rulebook
from targeting.explanation.checks import Check, DecisionTrace
from targeting.explanation.explain import explain
from targeting.model import AdRequest
from targeting.subjects.request_subjects import subjects_of


def explain_decision(payload: bytes, context: CallContext) -> bytes:
    """Explain a decision; see ``TargetingService.Explain``. Raises ``InvalidRequest``."""
    trace, response = trace_decision(ad_request(parse(pb.DecideRequest, payload), context.locator), context)
    decision = pb.DecideResponse.FromString(response)
    age_s = context.country_table_age_s()
    return pb.ExplainResponse(
        decision=decision,
        checks=map(_message, explain(trace)),
        country_table_age_s=0 if isnan(age_s) else int(age_s),
    ).SerializeToString()


def trace_decision(
    request: AdRequest, context: CallContext, rulebook: Rulebook | None = None
) -> tuple[DecisionTrace, bytes]:
    """Decide one request, by a rulebook or the one in force, and keep what it was decided from.

    Nothing is counted or written. The second part is the serialised ``DecideResponse``.
    The store is asked in any case, so that its checks are shown also where the request alone limits.
    Raises ``InvalidRequest`` for a canary's id.
    """
    decider, fetcher, _ = context.decisions
    context.canaries.checked(request)
    rulebook = rulebook or decider.rulebook()
    planned = decider.plan([request], rulebook.policy)
    (item,) = planned.items
    subjects = item.subjects or subjects_of(item.request, item.cookies)
    context.on_subjects(subjects)
    stored = fetcher.fetch(subjects, context.budget_s)
    ((decision, response),) = decider.decide(planned, stored if item.subjects else (), rulebook)
    return DecisionTrace(item, stored, decision, rulebook.policy, context.now()), response


def _message(check: Check) -> pb.Check:
    return pb.Check(
        signal=check.signal,
        present=check.present,
        value_class=check.value_class,
        verdict=check.said,
        rule=check.rule,
        reason=enum(check.reason or 0),
        fields=[pb.DecodedField(name=name, value=value) for name, value in check.fields],
    )
