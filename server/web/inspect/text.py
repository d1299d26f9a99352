"""A finding as plain text for a ticket: classes and reasons, never an id or a value."""

from collections.abc import Iterator

from server.web.inspect.finding import Finding
from server.web.inspect.view import Step, comparison, ladder, network_views, verdict


def as_text(finding: Finding, policy_version: str) -> str:
    """Write a finding as text."""
    return "\n".join(_lines(finding, policy_version)) + "\n"


def _lines(finding: Finding, policy_version: str) -> Iterator[str]:
    said = verdict(finding)
    yield f"{said.sentence} (policy {policy_version})"
    yield from (f"  {name}: {text}" for name, text in said.reasons)
    if said.lifting:
        yield from ("", said.lifting)
        for number, changes in enumerate(said.ways, start=1):
            yield f"  {number}. " + "; and ".join(changes)
    yield from ("", "Checks, in order:")
    yield from map(_step, ladder(finding.checks))
    for number, network in enumerate(network_views(finding.networks), start=1):
        yield from ("", f"Network {number}:")
        yield from (f"  {answer}: {text}" for answer, _, text in network.answers)
        yield from (f"  {each.kind.value} {each.path} ({each.cause})" for each in network.finding.differences)
    for row in comparison(finding.decision, finding.other) or ():
        yield f"Under the other policy, {row.what}: {row.other} instead of {row.now}"


def _step(step: Step) -> str:
    check = step.check
    mark = "first limit" if step.first else ("limits" if step.reason else "")
    found = f"  {check.signal}: {check.value_class}, {check.said}"
    return f"{found}  <- {step.reason} ({mark})" if mark else found
