"""The endpoint for operators: what it answers to scrapes and probes."""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import NamedTuple

import pytest
from prometheus_client import CollectorRegistry, Gauge

from server.http.metrics_endpoint import Probes, serve_metrics
from server.security.doors import open_to_all


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Endpoint:
    """An endpoint with one gauge, whose probes answer what the test sets."""

    def __init__(self, cleanup: ExitStack) -> None:
        self.not_live = self.not_ready = ""
        registry = CollectorRegistry()
        Gauge("adtargeting_x", "A gauge", registry=registry).set(7)
        probes = Probes(live=lambda: self.not_live, ready=lambda: self.not_ready)
        self.address = serve_metrics("127.0.0.1:0", registry, probes, open_to_all(), cleanup)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        with closing(http.client.HTTPConnection(self.address, timeout=20)) as connection:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with ExitStack() as cleanup:
        yield Endpoint(cleanup)


def test_a_scrape_is_prometheus_text(endpoint: Endpoint) -> None:
    answer = endpoint.ask("/metrics")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"\nadtargeting_x 7.0\n" in answer.body


def test_a_scrape_is_compressed_when_asked(endpoint: Endpoint) -> None:
    gauges = CollectorRegistry()
    Gauge("adtargeting_y", "A gauge with a long explanation " * 40, registry=gauges)
    with ExitStack() as cleanup:
        probes = Probes(live=str, ready=str)
        address = serve_metrics("127.0.0.1:0", gauges, probes, open_to_all(), cleanup)
        with closing(http.client.HTTPConnection(address, timeout=20)) as connection:
            connection.request("GET", "/metrics", headers={"accept-encoding": "gzip"})
            assert connection.getresponse().headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz"])
def test_head_has_the_headers_and_no_body(endpoint: Endpoint, path: str) -> None:
    asked, headed = endpoint.ask(path), endpoint.ask(path, "HEAD")
    assert (headed.status, headed.body) == (200, b"")
    assert headed.headers["content-length"] == asked.headers["content-length"] == str(len(asked.body))


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metrics/x", "/livez/store", "/favicon.ico", "//metrics", "/%2e"])
def test_any_other_path_is_not_found(endpoint: Endpoint, path: str) -> None:
    assert endpoint.ask(path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz"])
def test_any_other_method_is_refused(endpoint: Endpoint, path: str, method: str) -> None:
    answer = endpoint.ask(path, method)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_probes_say_why_the_answer_is_no(endpoint: Endpoint) -> None:
    assert endpoint.ask("/livez")[::2] == (200, b"ok\n")
    assert endpoint.ask("/readyz")[::2] == (200, b"ok\n")
    endpoint.not_ready = "draining"
    assert endpoint.ask("/livez")[::2] == (200, b"ok\n")
    assert endpoint.ask("/readyz")[::2] == (503, b"draining\n")
    endpoint.not_live = "thread call-worker"
    assert endpoint.ask("/livez")[::2] == (503, b"thread call-worker\n")
