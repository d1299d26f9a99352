"""From handlers to endpoints: read the visit and the form, hand them to a thread, and answer errors by a page.

Invariants: handlers wait for the store, so they never run on the loop; an error page shows nothing of the request, and
nothing of it is logged.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from server.web.choice.outcome import Outcome, failure
from server.web.forms import MAX_FORM_BYTES, Form, Throttle, read_form
from server.web.rendering import AdmitVisitor, Site, json_response
from server.web.texts import mark
from server.web.visit import Visit, VisitRefused, page_language, read_visit

Handler = Callable[[Site, Visit, Form], Response]
Endpoint = Callable[[Request], Awaitable[Response]]

_MOST_WAITING: Final = 64
_TOO_MANY: Final = mark("Too many people use this page right now. Nothing was changed. Please try again in a minute.")
_SENTENCES: Final = {
    404: mark("There is no such page."),
    405: mark("This page cannot be used in this way."),
}
_TITLE: Final = mark("This did not work")


class Rule(NamedTuple):
    """Who may use a page, and how much. ``admit`` returns the client's name, and raises ``VisitRefused``."""

    admit: AdmitVisitor
    max_form_bytes: int = MAX_FORM_BYTES
    throttled: bool = True


class Endpoints:
    """Makes endpoints of handlers. For the one loop of the pages."""

    def __init__(self, site: Site, threads: Executor) -> None:
        self._site = site
        self._threads = threads
        self._throttle = Throttle()
        self._waiting = 0

    def page(self, handler: Handler, rule: Rule) -> Endpoint:
        """Make the endpoint of a page that changes nothing."""

        async def endpoint(request: Request) -> Response:
            client = await rule.admit(request)
            visit = read_visit(request, self._site.proxies, client)
            return await self._on_thread(handler, visit, {})

        return self._answering(endpoint)

    def form(self, handler: Handler, rule: Rule) -> Endpoint:
        """Make the endpoint of a form."""

        async def endpoint(request: Request) -> Response:
            client = await rule.admit(request)
            visit = read_visit(request, self._site.proxies, client)
            form = await read_form(request, self._site.origin, rule.max_form_bytes)
            if rule.throttled:
                self._throttle.admit(visit.payer)
            return await self._on_thread(handler, visit, form)

        return self._answering(endpoint)

    async def http_error(self, request: Request, problem: Exception) -> Response:
        """Answer what no endpoint takes: an unknown path, or a method that is not allowed."""
        status = problem.status_code if isinstance(problem, HTTPException) else 500
        message = _SENTENCES.get(status, _SENTENCES[404])
        return self._error(request, self._refusal(request, VisitRefused(status, message)))

    async def _on_thread(self, handler: Handler, visit: Visit, form: Form) -> Response:
        if self._waiting >= _MOST_WAITING:
            raise VisitRefused(503, _TOO_MANY)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, handler, self._site, visit, form)
        finally:
            self._waiting -= 1

    def _answering(self, endpoint: Endpoint) -> Endpoint:
        async def answering(request: Request) -> Response:
            try:
                return await endpoint(request)
            except VisitRefused as refused:
                return self._error(request, self._refusal(request, refused))
            except Exception as problem:  # noqa: BLE001  # the table of errors says what a visitor may see of it
                return self._error(request, failure(problem, self._site.texts(page_language(request))))

        return answering

    def _refusal(self, request: Request, refused: VisitRefused) -> Outcome:
        texts = self._site.texts(page_language(request))
        return Outcome(refused.status, texts.say(_TITLE), (texts.say(refused.message),))

    def _error(self, request: Request, outcome: Outcome) -> Response:
        if request.url.path.endswith(".json"):
            return json_response({"error": " ".join(outcome.sentences)}, outcome.status)
        return self._site.render("error.html", page_language(request), status=outcome.status, outcome=outcome)
