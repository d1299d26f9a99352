"""Doubles for what surrounds a worker: a gate that is a list, a store that does as it is told."""

import math
import time
from collections.abc import Callable, Sequence

from server.gate.port import Answer, Call, Lane, Method
from server.store.ports import Committed, RecordChange
from targeting.model import Subject, SubjectKind
from targeting.places.geo import IpLocation
from targeting.records.stored_records import StoredRecords


class ListGate:
    """Calls are put in, answers are kept."""

    name = "list"

    def __init__(self) -> None:
        self.waiting: list[Call] = []
        self.answers: dict[object, Answer] = {}
        self.order: list[Call] = []

    def put(self, method: Method, payload: bytes, *, waited_s: float = 0.0, deadline_s: float = math.inf) -> Call:
        call = Call(method, payload, time.monotonic() - waited_s, deadline_s, object())
        self.waiting.append(call)
        return call

    def take(self, lane: Lane, limit: int, timeout_s: float) -> list[Call]:
        taken = [call for call in self.waiting if call.method.lane is lane][:limit]
        self.waiting = [call for call in self.waiting if call not in taken]
        return taken

    def answer(self, answers: Sequence[tuple[Call, Answer]]) -> None:
        for call, answer in answers:
            assert call.ticket not in self.answers, "answered twice"
            self.answers[call.ticket] = answer
            self.order.append(call)

    def of(self, call: Call) -> Answer:
        return self.answers[call.ticket]

    def open(self) -> str:
        return "list"

    def set_health(self, service: str, *, serving: bool) -> None:
        raise NotImplementedError

    def inflight(self) -> int:
        return len(self.waiting)

    def ended(self) -> dict[Method, dict[int, int]]:
        raise NotImplementedError

    def close(self, grace_s: float) -> None:
        raise NotImplementedError


class ScriptedStore:
    """Knows nobody, unless told otherwise; counts what it is asked."""

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

    def commit_durably(self, change: RecordChange, replicas: int, budget_s: float) -> Committed:
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
