"""Targets for what a browser sends to the pages: headers, and forms with what an engineer pastes into one."""

from ipaddress import ip_network

from starlette.requests import HTTPConnection

from server.errors import InvalidRequest
from server.web.forms import _fields
from server.web.inspect.question import read_question, read_recorded
from server.web.texts import LANGUAGES
from server.web.visit import Proxies, VisitRefused, read_visit
from tests.fuzzing.attempt import attempt
from tests.targeting.openrtb.preparing import POLICY, TableLocator

_NOWHERE = TableLocator({})
_PROXIES = Proxies("x-account", (ip_network("10.0.0.0/8"),))


def page_headers(data: bytes) -> None:
    """A visit is refused, or has the account that a trusted proxy names; from anyone else there is none."""
    account, _, others = data.partition(b"\n")
    cookie, _, language = others.partition(b"\n")
    names = (b"x-account", b"cookie", b"accept-language", b"x-forwarded-for", b"sec-gpc")
    headers = list(zip(names, (account, cookie, language, account, language), strict=True))
    for peer in ("192.0.2.1", "10.0.0.1"):
        scope = {"type": "http", "headers": headers, "client": (peer, 1), "query_string": language, "path": "/choice"}
        visit = attempt(lambda scope=scope: read_visit(HTTPConnection(scope), _PROXIES), VisitRefused)  # type: ignore[misc]  # bound at once
        if isinstance(visit, VisitRefused):
            continue
        assert peer == "10.0.0.1" or not visit.has_account
        assert visit.language in LANGUAGES
        assert account.decode("latin-1") not in repr(visit) or len(account) < 20


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
