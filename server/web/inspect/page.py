"""The answers of ``/inspect``: the empty form, the explained decision, and the same as text for a ticket.

Invariant: it reads only; nothing of a question is kept, logged or put into a URL.
"""

from starlette.responses import PlainTextResponse, Response

from server.calls.audited import audited
from server.errors import InvalidRequest
from server.security.caller import Caller
from server.web.forms import Form
from server.web.inspect.finding import find
from server.web.inspect.question import is_compared, read_question, read_recorded
from server.web.inspect.recorded_view import recorded_view
from server.web.inspect.text import as_text
from server.web.inspect.view import AnswerView, answer_view
from server.web.rendering import Site
from server.web.visit import Visit

_LANGUAGE = "en"


def show_form(site: Site, _: Visit, __: Form) -> Response:
    """Show the empty form."""
    return _rendered(site, {})


def show_answer(site: Site, visit: Visit, form: Form) -> Response:
    """Explain the decision that the form asks about."""
    try:
        answer = _answered(site, visit, form)
    except InvalidRequest as problem:
        return _rendered(site, form, status=400, problem=str(problem))
    return _rendered(site, form, **answer._asdict())


def download_text(site: Site, visit: Visit, form: Form) -> Response:
    """Return the answer as a text for a ticket: classes and reasons, never an id or a value."""
    try:
        answer = _answered(site, visit, form)
    except InvalidRequest as problem:
        return _rendered(site, form, status=400, problem=str(problem))
    disposition = 'attachment; filename="decision.txt"'
    return PlainTextResponse(as_text(answer), headers={"content-disposition": disposition})


def _answered(site: Site, visit: Visit, form: Form) -> AnswerView:
    with site.calls.context() as lent:
        context = lent._replace(caller=Caller(visit.client)) if visit.client else lent
        with audited("Inspect", context) as watched:
            policy = context.rulebook().policy
            recorded = read_recorded(form, policy)
            if recorded is not None:
                return recorded_view(recorded, is_compared=is_compared(form))
            question = read_question(form, context.locator, policy)
            return answer_view(question, find(question, watched), policy)


def _rendered(site: Site, form: Form, status: int = 200, **shown: object) -> Response:
    values = {"verdict": None, "problem": "", "form": form, **shown}
    return site.render("inspect.html", _LANGUAGE, status=status, **values)
