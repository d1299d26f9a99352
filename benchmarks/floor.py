"""Where the time of a ``Decide`` and of a ``DecideBatch`` of 32 goes: ``python -m benchmarks.floor``.

The service's own gate and store with nothing between them: the answers are as many bytes as the right ones, and were
made beforehand. Each step does what the one above it does, and one thing more; the last row is the service. What waits
is taken, read and answered together, as the service does. Columns are CPU time of the process for each call, and calls
a second for each of the bare ``grpc.aio`` echo, turn about. What is between the last two rows are the decision, and all
that makes it safe: the same decisions without I/O are timed in this process, where nothing else evicts the caches.
"""

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from benchmarks.controls.echo import path as echo_path
from benchmarks.load.comparisons import BATCHES_IN_FLIGHT
from benchmarks.load.h2load import MissingTool, Voided, find_h2load
from benchmarks.load.processes import NotStarted, Serving, settle, start_echo
from benchmarks.load.rates import Case, Series, cpu, measure, rate
from benchmarks.load.scene import BATCH, Question, Scene, WrongAnswer, batch, behavioural, key_in, pseudonyms_in
from benchmarks.micro.core import measure_core
from benchmarks.people import request
from server.gate.http2.gate import Http2Gate
from server.gate.methods import DECIDE
from server.gate.port import Call, DecisionLane
from server.store.circuit import Circuit, CircuitStore
from server.store.ports import DecisionStore
from server.store.record_cipher import PURPOSE, RecordCipher
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from server.store.sealed import SealedDecisions
from targeting.model import Subject, SubjectKind

STEPS = ("gate", "gate, parse", "gate, parse, read from the store")
ECHO, SERVICE = "grpc.aio's echo", "the service"
REPEATS, SECONDS = 11, 0.5
POPULATION = 2_000
_BUDGET_S = 5.0
_TOGETHER = 64


class _Kind(NamedTuple):
    """One kind of calls: the question, how many of them are in flight, and how many decisions each is."""

    question: Question
    in_flight: int
    decisions: int


KINDS = (_Kind(behavioural("Decide", request(0)), 64, 1), _Kind(batch("DecideBatch", 0), BATCHES_IN_FLIGHT, BATCH))


def main() -> int:
    """Print a table for each kind."""
    try:
        find_h2load()
        with tempfile.TemporaryDirectory(prefix="adt-bench-") as name:
            found = _measure(Path(name))
    except (MissingTool, NotStarted, Voided, WrongAnswer) as problem:
        sys.stderr.write(f"benchmarks: {problem}\n")
        return 2
    (core,) = measure_core(REPEATS, 50, (BATCH,))
    for kind in KINDS:
        print(f"{f'{kind.question.name}, {kind.in_flight} in flight':45}{'CPU µs':>9}{'÷ echo':>9}{'n':>4}")
        echo = found[_name(ECHO, kind)]
        for step in (ECHO, *STEPS, SERVICE):
            series = found[_name(step, kind)]
            ratio = series.ratio(echo, rate)
            print(f"{step:45}{series.middle(cpu):9.1f}{ratio:9.2f}{len(series.valid):4}")
        print(f"{'decisions without I/O, in this process':45}{core.whole / 1000 * kind.decisions:9.1f}\n")
    return 0


def _name(step: str, kind: _Kind) -> str:
    return f"{step}, {kind.question.name}"


def _measure(directory: Path) -> dict[str, Series]:
    """Return the samples of every step and kind, turn about."""
    with ExitStack() as open_, Scene(directory, POPULATION) as scene:
        targets = [scene.target(kind.question) for kind in KINDS]
        sizes = [target.most_bytes for target in targets]
        echo = open_.enter_context(start_echo(sizes, directory / "echo.log"))
        steps = {step: open_.enter_context(_serving(step, sizes, directory)) for step in STEPS}
        settle()
        cases = []
        for kind, target in zip(KINDS, targets, strict=True):
            echoed = target._replace(address=echo.address, path=echo_path(target.most_bytes))
            cases.append(Case(_name(ECHO, kind), [echoed], kind.in_flight, echo.pid))
            for step, serving in steps.items():
                stepped = [target._replace(address=serving.address)]
                cases.append(Case(_name(step, kind), stepped, kind.in_flight, serving.pid))
            check = partial(scene.check, [kind.question])
            cases.append(Case(_name(SERVICE, kind), [target], kind.in_flight, scene.service.pid, check))
        return measure(cases, REPEATS, SECONDS, directory)


def _serving(step: str, sizes: Sequence[int], directory: Path) -> Serving:
    arguments = ["-m", "benchmarks.floor", step, str(directory), *map(str, sizes)]
    return Serving(arguments, os.environ, directory / "floor.log")


def serve(step: str, directory: Path, decide_bytes: int, batch_bytes: int) -> None:
    """Serve a step until SIGTERM: every answer to a method has the same number of bytes."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    gate, answers = Http2Gate("127.0.0.1:0"), (bytes(batch_bytes), bytes(decide_bytes))
    store = RedisStore(Primary(RedisAddress(path=str(directory / "redis.sock"))), pseudonyms_in(directory))
    cipher = RecordCipher(key_in(directory).derive(PURPOSE))
    decisions = SealedDecisions(CircuitStore(store, Circuit(lambda: None)), cipher)
    print(f"floor serves gRPC on {gate.open()} ", flush=True)
    gate.decide_with(partial(_answer_all, step, decisions, answers))
    told.wait()
    gate.close(0)
    store.close()


async def _answer_all(step: str, store: DecisionStore, answers: tuple[bytes, bytes], lane: DecisionLane) -> None:
    while True:
        await lane.arrival()
        calls = [lane.waiting.popleft() for _ in range(min(len(lane.waiting), _TOGETHER))]
        subjects = [who for call in calls for who in _subjects(call)] if step != STEPS[0] else []
        if step == STEPS[2]:
            store.fetch(subjects, _BUDGET_S)
        for call in calls:
            lane.answer(call, answers[call.method is DECIDE])
        await lane.let_in(0)


def _subjects(call: Call) -> Sequence[Subject]:
    """Name the account and the device of everyone in a call."""
    requests: Sequence[pb.DecideRequest] = (
        [pb.DecideRequest.FromString(call.payload)]
        if call.method is DECIDE
        else pb.DecideBatchRequest.FromString(call.payload).requests
    )
    accounts = [Subject(SubjectKind.ACCOUNT, each.account_id) for each in requests]
    return accounts + [Subject(SubjectKind.DEVICE, each.device_id) for each in requests]


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    serve(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
