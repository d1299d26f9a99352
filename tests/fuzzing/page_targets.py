"""Target for the forms of the pages, and what an engineer pastes into one."""

from server.errors import InvalidRequest
from server.web.forms import _fields
from server.web.inspect.question import read_question, read_recorded
from server.web.visit import VisitRefused
from tests.fuzzing.attempt import attempt
from tests.targeting.openrtb.preparing import POLICY, TableLocator

_NOWHERE = TableLocator({})


def web_form(data: bytes) -> None:
    """A form is refused as a whole, or by a field and without its value, or read."""
    form = attempt(lambda: _fields(data), VisitRefused)
    if isinstance(form, VisitRefused):
        assert form.status == 400
        return
    recorded = attempt(lambda: read_recorded(form, POLICY), InvalidRequest)
    question = attempt(lambda: read_question(form, _NOWHERE, POLICY), InvalidRequest)
    assert recorded is None or form["pasted"]
    assert repr(question) == "Question()" or (isinstance(question, InvalidRequest) and question.field)
