"""Load by ``h2load``, which speaks gRPC: one sample is one run, and an error in it voids it.

A gRPC error comes as HTTP status 200 with a trailer, so the status alone proves nothing: the bytes that came back
must be as many as the right answers have. h2load sends one body over and over, to one person's cost; the
batches, and the row with several processes, hold different people.
"""

import re
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_FRAME = 5
"""Bytes before a message: a flag and its length (gRPC over HTTP/2, "Length-Prefixed-Message")."""
_HEADERS = ("content-type: application/grpc", "te: trailers")
_CONNECTIONS, _MOST_A_CONNECTION = 4, 16
"""As many calls in flight as a connection to the service may have by default."""
_TIMEOUT_S = 60
_RATE = re.compile(r"finished in [^,]+, ([\d.]+) req/s")
_REQUESTS = re.compile(r"requests: (\d+) total, .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout")
_STATUS = re.compile(r"status codes: (\d+) 2xx")
_DATA = re.compile(r"\((\d+)\) data")


class MissingTool(Exception):
    """h2load is not installed."""


class Voided(Exception):
    """A sample with an error in it."""


class Target(NamedTuple):
    """What is called: an address, a method, the bytes of a request, the sizes its answer may have (bytes).

    ``headers`` are sent beside those of gRPC, such as ``authorization: Bearer x``.
    """

    address: str
    path: str
    body: Path
    least_bytes: int
    most_bytes: int
    headers: tuple[str, ...] = ()
    may_be_refused: bool = False
    """Whether more is in flight than the service admits: then the rate is that of the answers alone."""


class Sample(NamedTuple):
    """One run: calls a second, median and 99th percentile of their times (milliseconds)."""

    rate: float
    p50_ms: float
    p99_ms: float


def write_body(path: Path, message: bytes) -> Path:
    """Write a request as it goes over the wire."""
    path.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
    return path


def find_h2load() -> str:
    """Find the tool. Raises ``MissingTool``."""
    found = shutil.which("h2load")
    if found is None:
        raise MissingTool("h2load is missing; it comes with Debian's nghttp2-client: apt install nghttp2-client")
    return found


def run(targets: Sequence[Target], calls: int, in_flight: int, scratch: Path) -> Sample:
    """Make the calls, ``in_flight`` at a time, over 4 connections or, beyond 64, one for 16 calls. Raises ``Voided``.

    Several targets share the calls, each from a process of its own, at the same time.
    """
    share, width = calls // len(targets), in_flight // len(targets)
    logs = [scratch / f"load-{index}.log" for index in range(len(targets))]
    for log in logs:
        log.unlink(missing_ok=True)
    commands = [_command(target, share, width, log) for target, log in zip(targets, logs, strict=True)]
    running = [subprocess.Popen(each, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for each in commands]
    outputs = [each.communicate(timeout=_TIMEOUT_S)[0] for each in running]
    rate = sum(_checked(output, target, share) for output, target in zip(outputs, targets, strict=True))
    times_ms = sorted(int(line.split("\t")[2]) / 1000 for log in logs for line in log.read_text().splitlines())
    return Sample(rate, statistics.median(times_ms), times_ms[len(times_ms) * 99 // 100])


def headers_of(*more: str) -> list[str]:
    """Return the options that make a call of h2load a gRPC call, with these headers too."""
    return [word for header in (*_HEADERS, *more) for word in ("-H", header)]


def _command(target: Target, calls: int, in_flight: int, log: Path) -> list[str]:
    connections = max(min(_CONNECTIONS, in_flight), in_flight // _MOST_A_CONNECTION)
    shape = {"-n": calls, "-c": connections, "-m": in_flight // connections}
    options = [word for name, value in shape.items() for word in (name, str(value))]
    url = f"http://{target.address}{target.path}"
    return [find_h2load(), *options, *headers_of(*target.headers), "-d", str(target.body), "--log-file", str(log), url]


def _checked(output: str, target: Target, calls: int) -> float:
    """Return the answers a second of a run without an error. Raises ``Voided``."""
    found = [pattern.search(output) for pattern in (_RATE, _REQUESTS, _STATUS, _DATA)]
    if None in found:
        raise Voided(f"h2load said something unforeseen: {output[-200:]}")
    rate, requests, status, data = (each.groups() for each in found if each is not None)
    # A call beyond what a connection may have in flight is reset unprocessed (REFUSED_STREAM), which clients of gRPC
    # repeat by themselves: one more way to be refused.
    if not target.may_be_refused and [*requests, *status] != [str(calls), str(calls), "0", "0", "0", str(calls)]:
        raise Voided(f"of {calls} calls to {target.path}: {requests[1]} succeeded, {status[0]} with status 200")
    received, most = int(data[0]), calls * (target.most_bytes + _FRAME)
    least = 0 if target.may_be_refused else calls * (target.least_bytes + _FRAME)
    if not least <= received <= most:
        raise Voided(f"{calls} calls to {target.path} brought {received} bytes, which the right answers do not have")
    # A refusal has no bytes, and a limited answer has few, so their share in the bytes is that of the right answers.
    return float(rate[0]) * (received / most if target.may_be_refused else 1)
