"""The answers of ``/inspect``: the empty form, the explained decision, and the same as text for a ticket.

Invariant: it reads only; nothing of a question is kept, logged or put into a URL.
"""

from starlette.responses import PlainTextResponse, Response

from server.calls.audited import audited
from server.errors import InvalidRequest
from server.web.forms import Form
from server.web.inspect.finding import Finding, find
from server.web.inspect.question import Question, read_question
from server.web.inspect.text import as_text
from server.web.inspect.view import comparison, decoded_strings, ladder, network_views, verdict
from server.web.rendering import Site
from server.web.visit import Visit
from targeting.policy.policy import Policy

_LANGUAGE = "en"


def show_form(site: Site, _: Visit, __: Form) -> Response:
    """Show the empty form."""
    return _rendered(site, {})


def show_answer(site: Site, _: Visit, form: Form) -> Response:
    """Explain the decision that the form asks about."""
    try:
        question, finding, policy = _found(site, form)
    except InvalidRequest as problem:
        return _rendered(site, form, status=400, problem=str(problem))
    return _rendered(
        site,
        form,
        verdict=verdict(finding),
        ladder=ladder(finding.checks),
        strings=decoded_strings(question, policy.gdpr.host_vendor_id),
        networks=network_views(finding.networks),
        has_bid_request=question.bid_request is not None,
        comparison=comparison(finding.decision, finding.other),
        policy_version=policy.version,
    )


def download_text(site: Site, visit: Visit, form: Form) -> Response:
    """Return the answer as a text for a ticket: classes and reasons, never an id or a value."""
    try:
        _, finding, policy = _found(site, form)
    except InvalidRequest:
        return show_answer(site, visit, form)
    disposition = 'attachment; filename="decision.txt"'
    return PlainTextResponse(as_text(finding, policy.version), headers={"content-disposition": disposition})


def _found(site: Site, form: Form) -> tuple[Question, Finding, Policy]:
    with site.calls.context() as context:
        policy = context.rulebook().policy
        question = read_question(form, context.locator, policy)
        with audited("Inspect", context) as watched:
            return question, find(question, watched), policy


def _rendered(site: Site, form: Form, status: int = 200, **shown: object) -> Response:
    values = {"verdict": None, "problem": "", "form": form, **shown}
    return site.render("inspect.html", _LANGUAGE, status=status, **values)
