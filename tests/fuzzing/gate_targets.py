"""Targets for what the gate reads before a message is parsed: framing, deadlines, weights, JSON, and headers."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError, Message
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server.gate.connect.codecs import Body, Form, written
from server.gate.connect.guard import _status_against
from server.gate.http2.grpc_wire import message_of, percent_encoded, seconds_of
from server.gate.http2.limits import AllowedNames
from server.gate.methods import METHODS, messages_of
from server.gate.port import Method, Refusal
from server.gate.weighing import MAX_ITEMS, MAX_NETWORKS
from server.security.tokens import bearer_token
from server.tracing.tracer import Tracer
from tests.fuzzing.attempt import attempt
from tests.fuzzing.signal_targets import text_of

_LONGEST_TIMEOUT_S = 99_999_999 * 3600.0
_REQUESTS = {method: messages_of(method)[0] for method in METHODS}
_ALLOWED = AllowedNames(frozenset(("127.0.0.1", "ads.example")), frozenset(("https://tools.example",)))
_OWN_HOSTS = ("127.0.0.1", "::1", "localhost", "ads.example")
_TRACER = Tracer(SimpleSpanProcessor(InMemorySpanExporter()), one_in=1_000_000_000)


def grpc_message(data: bytes) -> None:
    """A body is one message with its prefix, or refused; an error's text survives its escaping."""
    message = attempt(lambda: message_of(data), ValueError)
    assert isinstance(message, ValueError) or data[1:] == len(message).to_bytes(4) + message
    text = data.decode("utf-8", "replace")
    escaped = percent_encoded(text).decode("ascii")
    assert escaped.isprintable()
    assert unquote(escaped) == text


def grpc_timeout(data: bytes) -> None:
    """A deadline is a number of seconds that is not negative, or refused."""
    seconds = attempt(lambda: seconds_of(data), ValueError)
    assert isinstance(seconds, ValueError) or (data[:-1].isdigit() and 0 <= seconds <= _LONGEST_TIMEOUT_S)


def weight(data: bytes) -> None:
    """A message weighs no less than what it asks for, so no form of it gets more of the room than its share."""
    for method, kind in _REQUESTS.items():
        weighed = method.weigh(data)
        assert 1 <= weighed <= MAX_ITEMS * (1 + MAX_NETWORKS)
        try:
            request = kind.FromString(data)
        except DecodeError:
            continue
        assert weighed >= _least_weight(method, request)


def _least_weight(method: Method, request: Any) -> int:
    if method.path.endswith("DecideBatch"):
        items = min(len(request.requests), MAX_ITEMS)
        networks = sum(len(each.third_party_networks) for each in request.requests)
        return items + min(networks, items * MAX_NETWORKS)
    if method.path.endswith("RecordActivity"):
        return min(len(request.activities), MAX_ITEMS)
    if method.path.endswith(("Decide", "PrepareBidRequest")) and method.path.startswith("/adtargeting"):
        return 1 + min(len(request.third_party_networks), MAX_NETWORKS)
    return 1


def connect_json(data: bytes) -> None:
    """JSON is refused without a word of it, or becomes a message that its own JSON gives again."""
    for kind in _kinds(data):
        serialised = Body(kind, data, is_json=True).serialised()
        if isinstance(serialised, Refusal):
            assert serialised.message.startswith("not valid JSON of the request's message")
            continue
        again = written(kind, serialised, Form(is_json=True)).serialised()
        assert isinstance(again, bytes)
        assert MessageToJson(kind.FromString(again)) == MessageToJson(kind.FromString(serialised))


def _kinds(data: bytes) -> Iterator[type[Message]]:
    """Yield three of the request types, so that every type has its turn by the length of the text."""
    kinds = list(_REQUESTS.values())
    yield from (kinds[(len(data) + index) % len(kinds)] for index in range(3))


def traceparent(data: bytes) -> None:
    """A span continues the caller's trace, as a valid header names it, or begins one of its own."""
    header = data.decode("latin-1")
    context = _TRACER.begin_call("/adtargeting.v1.TargetingService/Decide", header).get_span_context()
    assert context.is_valid
    assert not context.trace_state
    parts = header.strip().split("-")
    is_continued = len(parts) >= 4 and format(context.trace_id, "032x") == parts[1]
    assert is_continued or context.trace_flags.sampled <= 1


def authorization(data: bytes) -> None:
    """The value of one header has a token, in the letters of RFC 6750, or none; two headers have none."""
    token = bearer_token([data])
    assert token is None or (data.lower().startswith(b"bearer ") and data.endswith(token))
    assert token is None or re.fullmatch(rb"[A-Za-z0-9._~+/-]+=*", token)
    assert bearer_token([data, data]) is None


def host_and_origin(data: bytes) -> None:
    """A request over HTTP/1.1 passes only by a name of this port, and one of a page only from a listed origin."""
    host, has_origin, origin = data.partition(b"\n")
    headers = {b"host": host} | ({b"origin": origin} if has_origin else {})
    for version in ("1.1", "2"):
        scope = {"http_version": version, "server": ("127.0.0.1", 50051)}
        status = _status_against(scope, headers, _ALLOWED)
        assert status in {None, 403, 421}
        if status is None and (version == "1.1" or has_origin):
            assert _names_port(text_of(host))
        if status is None and has_origin:
            assert origin == b"https://tools.example"


def _names_port(host: str) -> bool:
    """Whether a Host is one of the port's names, with or without a port behind it."""
    name = host.lower().removeprefix("[")
    return any(name == own or name.startswith((f"{own}:", f"{own}]")) for own in _OWN_HOSTS)
