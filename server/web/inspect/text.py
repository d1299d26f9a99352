"""A finding as plain text for a ticket: classes and reasons, never an id or a value."""

from collections.abc import Iterator

from server.web.inspect.view import AnswerView, Step


def as_text(answer: AnswerView) -> str:
    """Write an answer as text."""
    return "\n".join(_lines(answer)) + "\n"


def _lines(answer: AnswerView) -> Iterator[str]:
    said = answer.verdict
    yield f"{said.sentence} (policy {answer.policy_version})"
    yield from (f"  {name}: {text}" for name, text in said.reasons)
    if said.lifting:
        yield from ("", said.lifting)
        for number, changes in enumerate(said.ways, start=1):
            yield f"  {number}. " + "; and ".join(changes)
    yield from ("", "Checks, in order:")
    yield from map(_step, answer.ladder)
    for number, network in enumerate(answer.networks, start=1):
        yield from ("", f"Network {number}:")
        yield from (f"  {name}: {text}" for name, _, text in network.answers)
        yield from (f"  {each.kind.value} {each.path} ({each.cause})" for each in network.differences)
    for row in answer.comparison or ():
        yield f"Under the other policy, {row.what}: {row.other} instead of {row.now}"


def _step(step: Step) -> str:
    check = step.check
    mark = "first limit" if step.first else ("limits" if step.reason else "")
    found = f"  {check.signal}: {check.value_class}, {check.said}"
    return f"{found}  <- {step.reason} ({mark})" if mark else found
