"""Templates, and what every page of the site shares."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response

from server.web.calls import Calls
from server.web.links import Links
from server.web.texts import LANGUAGES, Texts, texts_of
from server.web.visit import Proxies

_HERE: Final = Path(__file__).parent
STYLE: Final = (_HERE / "static" / "style.css").read_bytes()
STYLE_VERSION: Final = hashlib.blake2b(STYLE, digest_size=6).hexdigest()


AdmitVisitor: TypeAlias = Callable[[HTTPConnection], Awaitable[str]]
"""Returns the client's name, empty without one. Raises ``VisitRefused`` for a visitor that may not use a page."""


async def admit_everyone(_: HTTPConnection) -> str:
    """Let everyone use a page, without a name."""
    return ""


class Site(NamedTuple):
    """What pages are made with. ``origin`` is the site's, as the person's browser shows it."""

    calls: Calls
    proxies: Proxies
    links: Links
    origin: str
    admit_inspector: AdmitVisitor = admit_everyone
    admit_visitor: AdmitVisitor = admit_everyone
    """Admission to the other pages; it may name a proxy by its certificate."""

    def texts(self, language: str) -> Texts:
        """Return the texts of a language of the pages."""
        return texts_of(language)

    def render(self, template: str, language: str, *, status: int = 200, **shown: object) -> Response:
        """Render a template in a language."""
        values = {"links": self.links, "languages": [texts_of(each) for each in LANGUAGES], **shown}
        return HTMLResponse(_environment(language).get_template(template).render(values), status)


def json_response(answer: dict[str, Any], status: int = 200) -> Response:
    """Return JSON."""
    return Response(json.dumps(answer, ensure_ascii=False), status, media_type="application/json")


@cache
def _environment(language: str) -> Environment:
    texts = texts_of(language)
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"texts": texts, "_": texts.say, "style_version": STYLE_VERSION}
    return environment
