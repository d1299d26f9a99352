"""The forms of the pages: read within limits, and only from our own pages.

Invariant: nothing is changed for a request without the ``Origin`` of the site, so no other site can choose for a
person. A field that comes twice is refused.
"""

import time
from collections import OrderedDict
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from server.web.texts import mark
from server.web.visit import VisitRefused

Form = dict[str, str]

MAX_FORM_BYTES: Final = 8 * 1024
_MOST_FIELDS: Final = 64
_FORM_TYPE: Final = "application/x-www-form-urlencoded"


async def read_form(request: Request, origin: str, most_bytes: int = MAX_FORM_BYTES) -> Form:
    """Read a form that one of our pages sent. Raises ``VisitRefused``."""
    if request.headers.getlist("origin") != [origin]:
        raise VisitRefused(403, mark("The form did not come from this site. Please open the page again and repeat."))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise VisitRefused(415, mark("The form is of a kind that this page does not read."))
    return _fields(await _body(request, most_bytes))


async def _body(request: Request, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise VisitRefused(413, mark("The form is larger than this page reads."))
    return bytes(body)


def _fields(body: bytes) -> Form:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise VisitRefused(400, mark("The form cannot be read. Please open the page again and repeat.")) from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise VisitRefused(400, mark("The form cannot be read. Please open the page again and repeat."))
    return form


class Throttle:
    """A token bucket for each visitor: ``burst`` forms at once, then one every ``refill_s``.

    Of visitors the latest ``room`` are remembered. For one thread.
    """

    def __init__(self, burst: int = 20, refill_s: float = 3.0, room: int = 10_000) -> None:
        self._burst = burst
        self._refill_s = refill_s
        self._room = room
        self._full_at_s: OrderedDict[str, float] = OrderedDict()

    def admit(self, visitor: str, now_s: float | None = None) -> None:
        """Take a token. Raises ``VisitRefused`` where there is none."""
        now_s = time.monotonic() if now_s is None else now_s
        full_at_s = max(self._full_at_s.pop(visitor, now_s), now_s) + self._refill_s
        allowed = full_at_s - now_s <= self._burst * self._refill_s
        self._full_at_s[visitor] = full_at_s if allowed else full_at_s - self._refill_s
        if len(self._full_at_s) > self._room:
            self._full_at_s.popitem(last=False)
        if not allowed:
            raise VisitRefused(429, mark("That was too often. Nothing was changed. Please wait a minute and repeat."))
