"""The pages as one ASGI application: its routes, and the headers of every answer."""

from concurrent.futures import Executor
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from server.web.choice import actions, page
from server.web.endpoints import Endpoint, Endpoints, Rule
from server.web.inspect import page as inspector
from server.web.inspect.question import MAX_QUESTION_BYTES
from server.web.rendering import STYLE, Site, json_response
from server.web.secure_headers import SecureHeaders

GPC_LAST_UPDATE: Final = "2026-11-28"
"""The day since which the site honours Global Privacy Control (its specification: "GPC Support Resource")."""

_A_DAY: Final = {"cache-control": "public, max-age=86400"}


def make_app(site: Site, threads: Executor) -> Starlette:
    """Make the application. ``threads`` run the handlers: at most as many as there are contexts of calls."""
    endpoints = Endpoints(site, threads)
    choosing = Rule(site.admit_visitor)
    inspecting = Rule(site.admit_inspector, MAX_QUESTION_BYTES, throttled=False)
    routes = [
        Route("/", _to_choice, methods=["GET"]),
        _route(
            "/choice",
            get=endpoints.page(page.show, choosing),
            post=endpoints.form(page.show_after(actions.choose), choosing),
        ),
        _route("/choice/correct", post=endpoints.form(page.show_after(actions.correct), choosing)),
        _route("/choice/erase", post=endpoints.form(page.show_after(actions.erase), choosing)),
        _route("/choice/download", get=endpoints.page(page.download, choosing)),
        _route(
            "/choice.json",
            get=endpoints.page(page.status_json, choosing),
            post=endpoints.form(page.choose_json, choosing),
        ),
        _route(
            "/inspect",
            get=endpoints.page(inspector.show_form, inspecting),
            post=endpoints.form(inspector.show_answer, inspecting),
        ),
        _route("/inspect/text", post=endpoints.form(inspector.download_text, inspecting)),
        Route("/.well-known/gpc.json", _global_privacy_control, methods=["GET"]),
        Route("/static/style.css", _style, methods=["GET"]),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(SecureHeaders)],
        exception_handlers={HTTPException: endpoints.http_error},
    )


def _route(path: str, *, get: Endpoint | None = None, post: Endpoint | None = None) -> Route:
    """Route the methods of one path, so that another method is refused with the list of those that are allowed."""

    async def endpoint(request: Request) -> Response:
        chosen = post if request.method == "POST" else get
        assert chosen is not None  # noqa: S101  # the route lets only these methods through
        return await chosen(request)

    return Route(path, endpoint, methods=[*(["GET"] if get else []), *(["POST"] if post else [])])


async def _to_choice(_: Request) -> Response:
    return RedirectResponse("/choice", 303)


async def _global_privacy_control(_: Request) -> Response:
    return json_response({"gpc": True, "lastUpdate": GPC_LAST_UPDATE})


async def _style(_: Request) -> Response:
    return Response(STYLE, media_type="text/css", headers=_A_DAY)
