"""The scene of the load: the real service in its own process, with people in its store, and what they are asked.

Every question knows its right answer, so that a sample of wrong ones can be told.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import grpc
from adtargeting.v1 import targeting_pb2 as pb

from benchmarks import people
from benchmarks.load.crowd import NotWritten, write_people
from benchmarks.load.h2load import Target, write_body
from benchmarks.load.processes import Serving, start_service
from server.gate.methods import DECIDE, DECIDE_BATCH, PREPARE_BID_REQUEST
from server.keys.secret_key import PSEUDONYMS, SecretKey, key_file
from server.lifecycle.opening import Opening
from server.settings import Settings
from server.store.keys import Pseudonyms
from server.store.redis.connection import Connection
from server.store.redis.handshake import open_connection
from server.store.redis.url import RedisAddress

BATCH = 32

_DEADLINE_S = 5.0
_BUSY = (b"aof_rewrite_in_progress", b"aof_rewrite_scheduled", b"rdb_bgsave_in_progress")
_LONGEST_REWRITE_S, _POLL_S = 60.0, 0.1


class WrongAnswer(Exception):
    """The service decided otherwise than it must."""


class Question(NamedTuple):
    """A request, as bytes, and the modes that its answer must have, in order."""

    name: str
    path: str
    message: bytes
    modes: tuple[int, ...]


class Scene(Opening):
    """The running service with people in its store; a context manager that is open while it runs."""

    def __init__(self, directory: Path, population: int, **settings: str) -> None:
        self._directory = directory
        self._population = population
        self._service = start_service(directory, **settings)
        self._channel = grpc.insecure_channel(self._service.address)
        self._redis = RedisAddress(path=str(directory / "redis.sock"))

    def open(self) -> None:
        """Write the people."""
        self._populate()

    @property
    def service(self) -> Serving:
        """The process of the service."""
        return self._service

    def close(self) -> None:
        """Stop the service; its data stay."""
        self._channel.close()
        self._service.stop()

    def answer(self, question: Question) -> bytes:
        """Ask, check the answer and give it. Raises ``WrongAnswer``."""
        answer = ask(self._channel, question)
        if (modes := modes_of(question.path, answer)) != question.modes:
            raise WrongAnswer(f"{question.name}: the modes are {modes}, and must be {question.modes}")
        return answer

    def check(self, questions: Iterable[Question]) -> None:
        """Ask every question once. Raises ``WrongAnswer``."""
        for question in questions:
            self.answer(question)

    def target(self, question: Question) -> Target:
        """Return what h2load is to call for a question. Raises ``WrongAnswer``."""
        body = write_body(self._directory / f"{question.name}.body", question.message)
        size = len(self.answer(question))
        return Target(self._service.address, question.path, body, size, size)

    def neighbour(self, question: Question) -> Target:
        """Return what h2load is to call for a question whose answer does not matter."""
        body = write_body(self._directory / "neighbour.body", question.message)
        return Target(self._service.address, question.path, body, 0, 0)

    def bytes_a_profile(self) -> int:
        """Return the memory of Redis for one profile, key and overhead included."""
        _, __, profile = pseudonyms_in(self._directory).locate(people.account(0))
        link = open_connection(self._redis, 5)
        try:
            return int(link.ask((b"MEMORY", b"USAGE", profile, b"SAMPLES", b"0"), time.monotonic() + 5))
        finally:
            link.close()

    def _populate(self) -> None:
        link = open_connection(self._redis, 5)
        try:
            write_people(link, key_in(self._directory), self._population)
            _await_quiet(link)
        except NotWritten as problem:
            raise WrongAnswer(str(problem)) from None
        finally:
            link.close()


def _await_quiet(link: Connection) -> None:
    """Wait until the store has rewritten its file, for which many people give it reason."""
    until_s = time.monotonic() + _LONGEST_REWRITE_S
    while time.monotonic() < until_s:
        state = link.ask((b"INFO", b"persistence"), until_s)
        if not any(b"%b:1" % name in state for name in _BUSY):
            return
        time.sleep(_POLL_S)


def key_in(directory: Path) -> SecretKey:
    """Return the secret key of the service whose data are here."""
    return key_file(Settings(data_dir=directory)).open(lambda: False)


def pseudonyms_in(directory: Path) -> Pseudonyms:
    """Return the pseudonyms of the service whose data are here."""
    return Pseudonyms(key_in(directory).derive(PSEUDONYMS))


def behavioural(name: str, message: pb.DecideRequest) -> Question:
    """Ask about a person about whom everything may be used."""
    return Question(name, DECIDE.path, message.SerializeToString(), (pb.MODE_BEHAVIOURAL,))


def limited(name: str, message: pb.DecideRequest) -> Question:
    """Ask about a person whom the request limits."""
    return Question(name, DECIDE.path, message.SerializeToString(), (pb.MODE_LIMITED,))


def batch(name: str, first: int, size: int = BATCH) -> Question:
    """Ask about a batch of people of whom everything may be used."""
    message = people.batch(first, size).SerializeToString()
    return Question(name, DECIDE_BATCH.path, message, (pb.MODE_BEHAVIOURAL,) * size)


def prepared(name: str, message: pb.PrepareBidRequestRequest) -> Question:
    """Ask for the bid requests of networks, about a person about whom everything may be used."""
    return Question(name, PREPARE_BID_REQUEST.path, message.SerializeToString(), (pb.MODE_BEHAVIOURAL,))


def ask(channel: grpc.Channel, question: Question) -> bytes:
    """Ask once, waiting until the service is there. Raises ``WrongAnswer``."""
    call: Callable[..., bytes] = channel.unary_unary(question.path)
    try:
        return call(question.message, timeout=_DEADLINE_S, wait_for_ready=True)
    except grpc.RpcError as problem:
        raise WrongAnswer(f"{question.name}: {problem}") from None


def modes_of(path: str, answer: bytes) -> tuple[int, ...]:
    """Read the modes of an answer; 0 stands for an item that was refused."""
    if path == DECIDE.path:
        return (pb.DecideResponse.FromString(answer).mode,)
    if path == PREPARE_BID_REQUEST.path:
        return (pb.PrepareBidRequestResponse.FromString(answer).decision.mode,)
    return tuple(each.response.mode for each in pb.DecideBatchResponse.FromString(answer).results)
