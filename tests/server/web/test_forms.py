"""Forms: only from our own pages, only within limits, and not too often."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

from server.web.forms import Form, Throttle, read_form
from server.web.visit import VisitRefused

ORIGIN = "https://choices.example"
FORM = ("content-type", "application/x-www-form-urlencoded")


def read(*headers: tuple[str, str], body: bytes = b"a=1", most_bytes: int = 100) -> Form:
    chunks = [body[at : at + 7] for at in range(0, len(body), 7)]

    async def receive() -> Message:
        return {"type": "http.request", "body": chunks.pop(0) if chunks else b"", "more_body": bool(chunks)}

    raw = [(name.encode(), value.encode()) for name, value in headers]
    return asyncio.run(read_form(Request({"type": "http", "headers": raw}, receive), ORIGIN, most_bytes))


def test_a_form_of_our_own_page_is_read() -> None:
    assert read(("origin", ORIGIN), FORM, body=b"scope=account&note=a+b%20%C3%A9&empty=") == {
        "scope": "account", "note": "a b é", "empty": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ([FORM], b"a=1", 403),
        ([("origin", "https://evil.example"), FORM], b"a=1", 403),
        ([("origin", "null"), FORM], b"a=1", 403),
        ([("origin", ORIGIN + "/"), FORM], b"a=1", 403),
        ([("origin", ORIGIN.upper()), FORM], b"a=1", 403),
        ([("origin", ORIGIN), ("origin", "https://evil.example"), FORM], b"a=1", 403),
        ([("origin", ORIGIN), ("content-type", "text/plain")], b"a=1", 415),
        ([("origin", ORIGIN)], b"a=1", 415),
        ([("origin", ORIGIN), FORM], b"a=" + b"1" * 200, 413),
        ([("origin", ORIGIN), FORM], b"a=1&a=1", 400),
        ([("origin", ORIGIN), FORM], b"a=%ff", 400),
        ([("origin", ORIGIN), FORM], b"a=\xff", 400),
        ([("origin", ORIGIN), FORM], b"&".join(b"%d=" % number for number in range(20)) * 1 + b"&" * 45, 400),
    ],
    ids=["no origin", "another", "null", "with a slash", "in capitals", "two", "text", "no type", "too large", "twice",
         "not UTF-8", "not ASCII", "too many fields"],
)  # fmt: skip
def test_anything_else_is_refused(headers: list[tuple[str, str]], body: bytes, status: int) -> None:
    with pytest.raises(VisitRefused) as caught:
        read(*headers, body=body, most_bytes=150)
    assert caught.value.status == status


def test_a_visitor_who_sends_too_many_waits_and_others_do_not() -> None:
    throttle = Throttle(burst=3, refill_s=10)
    for _ in range(3):
        throttle.admit("alice", now_s=100)
    for now_s in (100, 109):
        with pytest.raises(VisitRefused) as caught:
            throttle.admit("alice", now_s)
        assert caught.value.status == 429
    throttle.admit("bob", now_s=100)
    throttle.admit("alice", now_s=110)
    with pytest.raises(VisitRefused):
        throttle.admit("alice", now_s=111)


def test_only_so_many_visitors_are_remembered() -> None:
    throttle = Throttle(burst=1, refill_s=1000, room=2)
    for visitor in ("alice", "bob", "carol", "alice"):
        throttle.admit(visitor, now_s=0)
    with pytest.raises(VisitRefused):
        throttle.admit("alice", now_s=0)
