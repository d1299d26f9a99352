"""Explain: the decision on one request and every check behind it. Reads only."""

from adtargeting.v1 import targeting_pb2 as pb

from server.calls.call_context import CallContext
from server.messages import wire
from server.messages.enums import enum
from server.messages.reading import parse
from server.messages.translate import ad_request
from targeting.explain import Check, explain


def explain_decision(payload: bytes, tools: CallContext) -> bytes:
    """Explain a decision; see ``TargetingService.Explain``. Raises ``InvalidRequest``."""
    request = ad_request(parse(pb.DecideRequest, payload), tools.locator)
    trace = tools.decider.trace(request, tools.budget_s)
    decision = pb.DecideResponse.FromString(wire.responses([trace.decision])[0])
    return pb.ExplainResponse(decision=decision, checks=map(_message, explain(trace))).SerializeToString()


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
