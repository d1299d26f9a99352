"""The HTTP endpoint for operators: ``/metrics`` for Prometheus, ``/livez`` and ``/readyz`` for probes.

GET and HEAD, nothing else; scrapes are made one after the other, on the endpoint's own threads. It knows neither gate
nor store: two questions tell it whether the process is alive and ready.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from server.http.denied import denied_response
from server.http.http_server import HttpThread, UvicornServer
from server.security.admission import Admission, Denial
from server.security.doors import Doors
from server.security.exposure import is_local
from server.security.http_credentials import presented_in
from server.security.roles import Role
from server.settings import PREFIX

_SETTING: Final = f"{PREFIX}METRICS_ADDRESS"
_NO_STORE: Final = {"cache-control": "no-store"}
_TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"


class Probes(NamedTuple):
    """What probes ask. Each returns why the answer is no, and an empty text when it is yes."""

    live: Callable[[], str]
    ready: Callable[[], str]


def serve_metrics(address: str, registry: CollectorRegistry, probes: Probes, doors: Doors, closing: ExitStack) -> str:
    """Serve until ``closing`` is closed, and return the bound address. Raises ``SettingsError``."""
    # Not h2corn, whose limit of a request's time starts again with every byte: slow clients could lock all others out.
    thread = HttpThread("metrics", _SETTING, address, doors, UvicornServer)
    # On this machine anyone may scrape.
    admission = Admission() if is_local(address) else doors.admission
    thread.open(metrics_app(registry, probes, admission))
    closing.callback(thread.close)
    return thread.address


def metrics_app(registry: CollectorRegistry, probes: Probes, admission: Admission) -> Starlette:
    """Return the application."""
    turn = asyncio.Lock()

    async def metrics(request: Request) -> Response:
        caller = admission.admit("/metrics", Role.METRICS, presented_in(request.scope))
        if isinstance(caller, Denial):
            await admission.slow(caller)
            return denied_response(caller)
        async with turn:
            text = await run_in_threadpool(generate_latest, registry)
        return Response(text, headers={**_NO_STORE, "content-type": _TEXT_FORMAT})

    def probe(problem_now: Callable[[], str]) -> Callable[[Request], Response]:
        def answer(_: Request) -> Response:
            problem = problem_now()
            return PlainTextResponse(f"{problem or 'ok'}\n", 503 if problem else 200, _NO_STORE)

        return answer

    app = Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/livez", probe(probes.live)),
            Route("/readyz", probe(probes.ready)),
        ],
        middleware=[Middleware(GZipMiddleware)],
    )
    app.router.redirect_slashes = False
    return app
