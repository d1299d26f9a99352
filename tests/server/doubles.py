"""Doubles for what surrounds a worker: a gate that is a list, a store that does as it is told."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from server.gate.port import Answer, Call, DecisionLane, Lane, Method
from server.security.caller import Caller
from server.security.own_credential import OwnCredential
from server.store.ports import Committed, RecordChange
from targeting.model import Subject, SubjectKind
from targeting.places.geo import IpLocation
from targeting.records.stored_records import StoredRecords


class ListGate:
    """A gate and its decision lane: calls are put in, answers are kept."""

    name = "list"

    def __init__(self) -> None:
        self.waiting: deque[Call] = deque()
        self.others: list[Call] = []
        self.answers: dict[Call, Answer] = {}
        self.order: list[Call] = []
        self.pace: list[tuple[int, float]] = []

    def put(
        self, method: Method, payload: bytes, *, waited_s: float = 0.0, deadline_s: float = math.inf, client: str = ""
    ) -> Call:
        call = Call(method, payload, time.monotonic() - waited_s, deadline_s, Caller(client))
        call.weight = method.weigh(payload)
        (self.waiting if method.lane is Lane.DECISIONS else self.others).append(call)
        return call

    async def arrival(self) -> None:
        self.woken = False
        while not (self.waiting or self.woken):
            await asyncio.sleep(0.001)

    async def let_in(self, most_s: float) -> None:
        await asyncio.sleep(0)

    def wake(self) -> None:
        self.woken = True

    def keep_pace(self, weight: int, took_s: float) -> None:
        self.pace.append((weight, took_s))

    def take(self, timeout_s: float) -> Call | None:
        return self.others.pop(0) if self.others else None

    def answer(self, call: Call, answer: Answer) -> None:
        assert call not in self.answers, "answered twice"
        self.answers[call] = answer
        self.order.append(call)

    def of(self, call: Call) -> Answer:
        return self.answers[call]

    def open(self) -> str:
        return "list"

    def listen_for(self, part: OwnCredential, path: Path) -> None:
        raise NotImplementedError

    def decide_with(self, worker: Callable[[DecisionLane], Coroutine[Any, Any, None]]) -> None:
        raise NotImplementedError

    def set_health(self, service: str, *, serving: bool) -> None:
        raise NotImplementedError

    def observe_lag_with(self, observe: Callable[[float], None]) -> None:
        raise NotImplementedError

    def is_alive(self) -> bool:
        return True

    def inflight(self) -> int:
        return len(self.waiting) + len(self.others)

    def ended(self) -> dict[Method, dict[int, int]]:
        raise NotImplementedError

    def refused(self) -> dict[str, int]:
        raise NotImplementedError

    def close(self, grace_s: float) -> None:
        raise NotImplementedError


class ScriptedStore:
    """Has no records, unless told otherwise; counts what it is asked."""

    def __init__(self, answer: Callable[[Subject], StoredRecords] | None = None) -> None:
        self.fails: Exception | None = None
        self.asked: list[tuple[list[Subject], float]] = []
        self.on_fetch: Callable[[], None] = lambda: None
        self._answer = answer or (lambda subject: StoredRecords(subject.kind, bytes(16)))

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        self.asked.append((list(subjects), budget_s))
        self.on_fetch()
        if self.fails is not None:
            raise self.fails
        return [self._answer(subject) for subject in subjects]

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> "ScriptedReading | None":
        return ScriptedReading(self.fetch(subjects, budget_s))


class ScriptedReading:
    """A reading whose answer is there at once."""

    def __init__(self, records: list[StoredRecords]) -> None:
        self._records = records

    def fileno(self) -> int:
        raise NotImplementedError

    def collect(self, deadline_s: float) -> list[StoredRecords]:
        return self._records

    def give_up(self) -> None:
        raise NotImplementedError


class ScriptedRecords:
    """A ``RecordStore`` of one subject whose commits fail, or come too late, as told."""

    def __init__(self, *, stale: int = 0, committed: Committed = Committed(landed=True)) -> None:  # noqa: B008  # immutable
        self.held = StoredRecords(SubjectKind.ACCOUNT, bytes(range(16)))
        self.stale = stale
        self.committed = committed
        self.changes: list[RecordChange] = []

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        return [self.held for _ in subjects]

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        return [self.commit_durably(change, 0, budget_s) for change in changes]

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        self.changes.append(change)
        if self.stale:
            self.stale -= 1
            return Committed(landed=False)
        self.held = self.held._replace(
            preference=change.preference if change.preference is not None else self.held.preference,
            profile=change.profile if change.profile is not None else self.held.profile,
        )
        return self.committed


class Nowhere:
    """A locator that knows no address, and so no country."""

    def locate(self, ip_text: str) -> IpLocation:
        return IpLocation("US", "") if ip_text == "192.0.2.1" else IpLocation("", "")
