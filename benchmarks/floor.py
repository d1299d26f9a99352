"""What a ``DecideBatch`` of 32 costs before anything is decided: ``python -m benchmarks.floor``.

The service's own gate and store with nothing between them: the answers are as many bytes as the right ones, and were
made beforehand. Each step does what the one above it does, and one thing more; the last row is the service. What waits
is taken, read and answered together, as the service does. The figures are decisions for every call of the bare
``grpc.aio`` echo, which is how the target for ``DecideBatch`` is stated: batches with 4 in flight, the echo with 16.
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
from statistics import median

from adtargeting.v1 import targeting_pb2 as pb

from benchmarks.comparisons import BATCHES_IN_FLIGHT
from benchmarks.echo import path as echo_path
from benchmarks.load import MissingTool, Target, Voided, find_h2load, run
from benchmarks.people import request
from benchmarks.processes import NotStarted, Serving, settle, start_echo
from benchmarks.scene import BATCH, Scene, WrongAnswer, batch, behavioural, pseudonyms_in
from server.gate.grpcio import GrpcioGate
from server.gate.port import DecisionLane
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from targeting.model import Subject, SubjectKind

_BUDGET_S = 5.0
STEPS = ("gate", "gate, parse", "gate, parse, read from the store")
REPEATS = 15
POPULATION = 2_000
_ECHO_CALLS, _BATCH_CALLS, _ECHO_IN_FLIGHT = 1_280, 128, 16


def main() -> int:
    """Print the table."""
    try:
        find_h2load()
        with tempfile.TemporaryDirectory(prefix="adt-bench-") as name:
            rates = _measure(Path(name))
    except (MissingTool, NotStarted, Voided, WrongAnswer) as problem:
        sys.stderr.write(f"benchmarks: {problem}\n")
        return 2
    print(f"{f'decisions an echo, batches of {BATCH}':50}{'median':>8}{'most':>8}{'n':>4}")
    for step, ratios in rates.items():
        print(f"{step:50}{median(ratios):8.2f}{max(ratios):8.2f}{len(ratios):4}")
    return 0


def _measure(directory: Path) -> dict[str, list[float]]:
    """Return, for each step, the decisions per call of the echo; each turn takes one sample of every step."""
    with ExitStack() as open_, Scene(directory, POPULATION) as scene:
        one, many = scene.target(behavioural("one", request(0))), scene.target(batch("many", 0))
        echo = open_.enter_context(start_echo([one.most_bytes], directory / "echo.log"))
        targets = {step: _target(step, many, directory, open_) for step in STEPS} | {"the service": many}
        echoed = one._replace(address=echo.address, path=echo_path(one.most_bytes))
        settle()
        ratios: dict[str, list[float]] = {step: [] for step in targets}
        for _ in range(REPEATS):
            calls = run([echoed], _ECHO_CALLS, _ECHO_IN_FLIGHT, directory).rate
            for step, target in targets.items():
                ratios[step].append(BATCH * run([target], _BATCH_CALLS, BATCHES_IN_FLIGHT, directory).rate / calls)
    return ratios


def _target(step: str, many: Target, directory: Path, open_: ExitStack) -> Target:
    arguments = ["-m", "benchmarks.floor", step, str(directory), str(many.most_bytes)]
    return many._replace(address=open_.enter_context(Serving(arguments, os.environ, directory / "floor.log")).address)


def serve(step: str, directory: Path, answer_bytes: int) -> None:
    """Serve a step until SIGTERM: every answer has the same number of bytes."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    gate, answer = GrpcioGate("127.0.0.1:0"), bytes(answer_bytes)
    store = RedisStore(Primary(RedisAddress(path=str(directory / "redis.sock"))), pseudonyms_in(directory))
    print(f"floor serves gRPC on {gate.open()} ", flush=True)
    gate.decide_with(partial(_answer_all, step, store, answer))
    told.wait()
    gate.close(0)
    store.close()


async def _answer_all(step: str, store: RedisStore, answer: bytes, lane: DecisionLane) -> None:
    while True:
        await lane.arrival()
        calls = [lane.waiting.popleft() for _ in range(len(lane.waiting))]
        subjects = [who for call in calls for who in _subjects(call.payload)] if step != STEPS[0] else []
        if step == STEPS[2]:
            store.fetch(subjects, _BUDGET_S)
        for call in calls:
            lane.answer(call, answer)


def _subjects(payload: bytes) -> Sequence[Subject]:
    """Name the account and the device of everyone in a batch."""
    requests = pb.DecideBatchRequest.FromString(payload).requests
    accounts = [Subject(SubjectKind.ACCOUNT, each.account_id) for each in requests]
    return accounts + [Subject(SubjectKind.DEVICE, each.device_id) for each in requests]


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
