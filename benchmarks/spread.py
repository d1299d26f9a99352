"""How connections spread over two workers: ``python -m benchmarks.spread``.

On one listening socket that both accept on, as the service does, and on a socket each with SO_REUSEPORT; opened one
after another on idle workers, and all at once. Takes half a minute.
"""

import multiprocessing
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from statistics import mean
from typing import Final

import grpc

from server.gate.http2.gate import Http2Gate
from server.gate.methods import DECIDE
from server.gate.port import DecisionLane

_WORKERS: Final = 2
_TRIALS: Final = 40
_TIMEOUT_S: Final = 10.0
_SPAWN: Final = multiprocessing.get_context("spawn")


def main() -> None:
    """Print, for each way and number of connections, the share of the busier worker and how often one has all."""
    for way, make in (("one shared socket", _shared), ("SO_REUSEPORT", _own)):
        with _workers(make()) as address:
            for connections in (4, 16):
                for order, threads in (("one after another", 1), ("at once", connections)):
                    shares = [_busier(address, connections, threads) for _ in range(_TRIALS)]
                    sys.stdout.write(
                        f"{way}, {connections} connections {order}: the busier worker has {mean(shares):.0%}, "
                        f"all of them in {shares.count(1.0)} of {_TRIALS} trials\n"
                    )


def _listening(port: int, *, shares: bool) -> socket.socket:
    listener = socket.socket()
    if shares:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    listener.settimeout(0)
    return listener


def _shared() -> list[socket.socket]:
    return [_listening(0, shares=False)] * _WORKERS


def _own() -> list[socket.socket]:
    first = _listening(0, shares=True)
    return [first, *(_listening(first.getsockname()[1], shares=True) for _ in range(_WORKERS - 1))]


@contextmanager
def _workers(listeners: list[socket.socket]) -> Iterator[str]:
    """Run a gate on each socket, and yield their address."""
    with ExitStack() as closing:
        for name, listener in enumerate(listeners):
            near, far = _SPAWN.Pipe()
            process = _SPAWN.Process(target=_serve, args=(listener, str(name).encode(), far))
            process.start()
            closing.callback(process.join)
            closing.callback(near.send, None)
            near.recv()
        address = f"127.0.0.1:{listeners[0].getsockname()[1]}"
        for listener in listeners:
            listener.close()
        yield address


def _serve(listener: socket.socket, name: bytes, pipe: Connection) -> None:
    gate = Http2Gate("127.0.0.1:0", listener=listener)
    gate.open()
    gate.decide_with(partial(_answer_all, name))
    pipe.send(None)
    pipe.recv()
    gate.close(0)


async def _answer_all(name: bytes, lane: DecisionLane) -> None:
    while True:
        await lane.arrival()
        while lane.waiting:
            lane.answer(lane.waiting.popleft(), name)


def _busier(address: str, connections: int, threads: int) -> float:
    """Return the share of the connections that the busier worker got."""
    with ExitStack() as open_, ThreadPoolExecutor(threads) as callers:
        channels = [
            open_.enter_context(grpc.insecure_channel(address, (("grpc.use_local_subchannel_pool", 1),)))
            for _ in range(connections)
        ]
        answers = Counter(callers.map(_ask, channels))
    return max(answers.values()) / connections


def _ask(channel: grpc.Channel) -> bytes:
    ask: Callable[..., bytes] = channel.unary_unary(DECIDE.path)
    return ask(b"", timeout=_TIMEOUT_S)


if __name__ == "__main__":
    main()
