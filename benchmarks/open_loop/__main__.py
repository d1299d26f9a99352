"""The open-loop client: ``python -m benchmarks.open_loop PLAN OUT``, in a process of its own.

Calls fall due by a Poisson process, whatever the service does. A time counts from when a call was due, not from when
it could be sent, so a stalled service cannot hide its stall (no coordinated omission). PLAN is a ``Plan`` in JSON; OUT
gets one row a call: due, sent and over in seconds from the start, and the bytes of the answer.
"""

import json
import select
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.open_loop.connection import Ended, LoadConnection
from benchmarks.open_loop.frames import CallTemplate
from benchmarks.open_loop.plan import Plan

_LINGER_S = 3.0
_LONGEST_WAIT_S = 0.05


def run(plan: Plan) -> list[Ended]:
    """Make the calls of a plan, and wait a while for the last to end."""
    host, _, port = plan.address.rpartition(":")
    message = Path(plan.body).read_bytes()
    call = CallTemplate(plan.address, plan.path, message, plan.timeout_ms)
    connections = [LoadConnection((host, int(port)), call) for _ in range(plan.connections)]
    time.sleep(0.1)  # let the settings come in, so that the first calls are not held back
    start_s = time.perf_counter()
    due = start_s + np.cumsum(np.random.default_rng(plan.seed).exponential(1 / plan.rate, plan.calls))
    _serve(connections, due.tolist())
    _linger(connections)
    for connection in connections:
        connection.close()
    return [
        Ended(each.due_s - start_s, each.sent_s - start_s, each.over_s - start_s, each.octets)
        for connection in connections
        for each in connection.ended
    ]


def _serve(connections: list[LoadConnection], due: list[float]) -> None:
    index = 0
    while index < len(due):
        now_s = time.perf_counter()
        while index < len(due) and due[index] <= now_s:
            connections[index % len(connections)].add(due[index])
            index += 1
        wait_s = due[index] - now_s if index < len(due) else 0
        _turn(connections, min(max(wait_s, 0), _LONGEST_WAIT_S))


def _linger(connections: list[LoadConnection]) -> None:
    until_s = time.perf_counter() + _LINGER_S
    while time.perf_counter() < until_s and any(each.pending for each in connections if not each.lost):
        _turn(connections, _LONGEST_WAIT_S)


def _turn(connections: list[LoadConnection], wait_s: float) -> None:
    living = [each for each in connections if not each.lost]
    for each in living:
        each.send()
    writers = [each for each in living if each.wants_to_write and not each.lost]
    readable, _, __ = select.select([each for each in living if not each.lost], writers, [], wait_s)
    for each in readable:
        each.receive()


def main(plan: str, out: str) -> None:
    """Run a plan in JSON and write what became of its calls."""
    rows = run(Plan(**json.loads(plan)))
    np.save(out, np.array(rows, dtype=np.float64).reshape(-1, 4))


if __name__ == "__main__":
    main(*sys.argv[1:])
