"""A finding in words, for the page and for the text that goes into a ticket.

Invariant: the text holds classes and reasons, and never an id or a value; the page shows values only where the engineer
sent them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from server.web.inspect.finding import Finding, NetworkFinding
from server.web.inspect.question import Question
from targeting.decision import Decision
from targeting.explanation.checks import Check
from targeting.inspection.changes import Change
from targeting.inspection.decoded_field import DecodedField
from targeting.inspection.reason_text import name_of, names_of, text_of
from targeting.inspection.smallest import MinimalSets
from targeting.inspection.strings_in_words import (
    gpp_string_in_words,
    tc_string_in_words,
    us_privacy_in_words,
)
from targeting.model import Mode
from targeting.networks import NetworkDecision
from targeting.openrtb.difference import Difference
from targeting.policy.policy import Policy
from targeting.reasons import Reason, Reasons, reasons_in
from targeting.signals.unreadable import Unreadable

_ANSWERS: Final = ("contact", "profile", "id", "precise position")
BEHAVIOURAL: Final = "BEHAVIOURAL: every check says yes."
LIMITED: Final = "LIMITED: country, language and IP location, nothing else."
_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six")


class Step(NamedTuple):
    """One check of the ladder; ``first`` marks the first that limits."""

    check: Check
    reason: str
    first: bool


class Verdict(NamedTuple):
    """The decision in one sentence, why, and what would lift the limit: each way as a list of changes."""

    sentence: str
    reasons: Sequence[tuple[str, str]]
    lifting: str
    ways: Sequence[Sequence[str]]


class DecodedString(NamedTuple):
    """A consent string field by field, or why it cannot be read."""

    title: str
    fields: Sequence[DecodedField]
    problem: str = ""


class NetworkView(NamedTuple):
    """The four answers for a network, each with its reasons, and the difference of its bid request."""

    name: str
    answers: Sequence[tuple[str, bool, str]]
    differences: Sequence[Difference] = ()


class Comparison(NamedTuple):
    """One thing that differs between two policies."""

    what: str
    now: str
    other: str


class AnswerView(NamedTuple):
    """Everything that the page and the text show. ``comparison`` is None where no other policy was given."""

    verdict: Verdict
    ladder: Sequence[Step]
    networks: Sequence[NetworkView]
    comparison: Sequence[Comparison] | None
    policy_version: str
    strings: Sequence[DecodedString] = ()
    has_bid_request: bool = False


def answer_view(question: Question, finding: Finding, policy: Policy) -> AnswerView:
    """Return what is shown of a decision that has just been made."""
    return AnswerView(
        verdict=verdict(finding),
        ladder=ladder(finding.checks),
        networks=network_views(finding.networks),
        comparison=comparison(finding.decision, finding.other),
        policy_version=policy.version,
        strings=decoded_strings(question, policy.gdpr.host_vendor_id),
        has_bid_request=question.bid_request is not None,
    )


def ladder(checks: Sequence[Check]) -> list[Step]:
    """Return the checks in order, the first that limits marked."""
    limiting = next((index for index, check in enumerate(checks) if check.reason), None)
    return [
        Step(check, name_of(check.reason) if check.reason else "", index == limiting)
        for index, check in enumerate(checks)
    ]


def verdict(finding: Finding) -> Verdict:
    """Say what was decided, and the smallest change that would lift a limit."""
    reasons = explained(reasons_in(finding.decision.reasons))
    if finding.decision.mode is Mode.BEHAVIOURAL:
        return Verdict(BEHAVIOURAL, reasons, "", ())
    return Verdict(LIMITED, reasons, *_lifting(finding.smallest))


def explained(reasons: Iterable[Reason]) -> list[tuple[str, str]]:
    """Return the name of each reason, and what it means."""
    return [(name_of(reason), text_of(reason)) for reason in reasons]


def decoded_strings(question: Question, vendor: int) -> list[DecodedString]:
    """Explain every consent string of the request; several of one kind are numbered."""
    signals = question.request.signals
    return [
        *_decoded(
            "TC string",
            (signals.tcf_consent, *signals.more_tcf_consents),
            lambda text: {"": tc_string_in_words(text, vendor)},
        ),
        *_decoded("GPP section", (signals.gpp, *signals.more_gpps), lambda text: gpp_string_in_words(text, vendor)),
        *_decoded(
            "US Privacy string",
            (signals.us_privacy, *signals.more_us_privacies),
            lambda text: {"": us_privacy_in_words(text)},
        ),
    ]


def network_views(networks: Sequence[NetworkFinding]) -> list[NetworkView]:
    """Return what each network gets."""
    return [NetworkView(each.decision.network_id, _answers(each.decision), each.differences) for each in networks]


def comparison(decision: Decision, other: Decision | None) -> list[Comparison] | None:
    """Return what another policy would change; None: no other policy was given."""
    if other is None:
        return None
    rows = [
        Comparison("mode", decision.mode.name, other.mode.name),
        Comparison("reasons", _reasons(decision.reasons), _reasons(other.reasons)),
    ]
    for now, then in zip(decision.networks, other.networks, strict=True):
        rows += [
            Comparison(f"{now.network_id}: {answer}", before, after)
            for (answer, _, before), (_, _, after) in zip(_answers(now), _answers(then), strict=True)
        ]
    return [row for row in rows if row.now != row.other]


def _lifting(smallest: MinimalSets[Change] | None) -> tuple[str, list[list[str]]]:
    if smallest is None:
        return "The store does not answer. Whether anything else limits cannot be said until it does.", []
    ways = [[change.text for change in changes] for changes in smallest.sets]
    if not smallest.is_complete:
        return (
            f"There are more smallest ways to lift the limit than are shown; any one of these {len(ways)} would do:",
            ways,
        )
    if not ways:
        return "No change of the request or of the stored choices would lift the limit.", []
    size = len(ways[0])
    if len(ways) > 1:
        return f"There are {_number(len(ways))} smallest ways to lift the limit; any one of them would do:", ways
    if size == 1:
        return "One change would lift the limit:", ways
    every = "both" if size == 2 else "all of them"
    return f"{_number(size).capitalize()} independent reasons; {every} would have to go:", ways


def _number(value: int) -> str:
    return _NUMBERS[value] if value < len(_NUMBERS) else str(value)


def _decoded(
    kind: str, texts: Sequence[str], explain: Callable[[str], Mapping[str, Sequence[DecodedField]]]
) -> Iterator[DecodedString]:
    sent = [text for text in texts if text]
    for number, text in enumerate(sent, start=1):
        place = f" (string {number} of {len(sent)})" if len(sent) > 1 else ""
        try:
            for name, fields in explain(text).items():
                yield DecodedString(f"{kind} {name}".strip() + place, fields)
        except Unreadable as problem:
            yield DecodedString(kind + place, (), str(problem))


def _answers(network: NetworkDecision) -> list[tuple[str, bool, str]]:
    withheld = network.withheld
    masks = (withheld.contact, withheld.profile, withheld.user_id, withheld.precise_position)
    return [
        (answer, not mask, f"no: {_reasons(mask)}" if mask else "yes")
        for answer, mask in zip(_ANSWERS, masks, strict=True)
    ]


def _reasons(mask: Reasons) -> str:
    return names_of(reasons_in(mask)) or "none"
