"""The worker of the decision lane, on the thread of the gate's event loop: take → read → decide → answer.

A call that has waited longer than its budget is answered without asking the store. Faults of ours are contained by
``server.decisions.containment``; here is only the ordinary way.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from server.decisions.agenda import Agenda
from server.decisions.containment import ContainedDecider, attempt, attempt_async, observe_all
from server.decisions.decider import Decider, Stored
from server.decisions.fetcher import LEAST_BUDGET_S, LoopFetcher
from server.decisions.group import Group
from server.decisions.jobs import CallReader, Job, Portion
from server.decisions.pace import Pace
from server.decisions.signal_observer import SignalObserver
from server.gate.port import Call, DecisionLane, Refusal
from server.metrics.metrics import Metrics
from targeting.reasons import Reason

_LETTING_IN = 0.3
"""How much of a turn's time may go to calls that wait to begin, most of which are refused then."""


class WorkerParts(NamedTuple):
    """What a worker works with."""

    decider: Decider
    fetcher: LoopFetcher
    observer: SignalObserver
    reader: CallReader
    metrics: Metrics
    budget_s: float = 0.025
    """How long a decision may take from its arrival."""
    singles_s: float = 0.004
    """What a turn is to take, at most, for single calls."""
    large_s: float = 0.003
    """What a turn is to take, at most, for portions of large calls while no single calls come."""
    beside_s: float = 0.0015
    """The same while single calls come, which wait for the portions."""


class Worker:
    """Serves one lane. ``run`` goes on until it is cancelled."""

    def __init__(self, parts: WorkerParts, lane: DecisionLane) -> None:
        self._parts = parts
        self._lane = lane
        self._decider = ContainedDecider(parts.decider)
        self._agenda = Agenda()
        self._pace_of_singles = Pace()
        self._pace_of_large = Pace()
        self._awaiting_store: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take, read, decide, answer."""
        began_s = time.monotonic()
        while True:
            if not self._agenda:
                await self._lane.arrival()
                began_s = time.monotonic()
            self._agenda.add(self._lane.waiting)
            singles = await self._singles_turn()
            large_s = await self._large_turn(beside_singles=singles > 0) if self._agenda.has_large else 0.0
            await self._lane.let_in(_LETTING_IN * (time.monotonic() - began_s))
            now_s = time.monotonic()
            self._lane.keep_pace(singles, now_s - began_s - large_s)
            began_s = now_s

    async def _singles_turn(self) -> int:
        """Read and decide as many single calls as one turn can take; return their weight."""
        self._pace_of_singles.start(self._parts.singles_s)
        weight, _ = await self._decide(self._read_singles(), self._pace_of_singles)
        return weight

    async def _large_turn(self, *, beside_singles: bool) -> float:
        """Read and decide as many portions of large calls as one turn can take; return its CPU time in seconds."""
        self._pace_of_large.start(self._parts.beside_s if beside_singles else self._parts.large_s)
        _, took_s = await self._decide(self._read_large(), self._pace_of_large)
        return took_s

    async def _decide(self, portions: list[Portion], pace: Pace) -> tuple[int, float]:
        """Decide portions together; return their weight, and the CPU time of reading and deciding them in seconds."""
        if portions:
            await self._decide_together(portions)
        weight = sum([portion.weight for portion in portions])
        return weight, pace.end(weight)

    def _read_singles(self) -> list[Portion]:
        portions: list[Portion] = []
        weight, most = 0, self._pace_of_singles.weight()
        while weight < most and self._pace_of_singles.has_time() and (call := self._agenda.next_single()) is not None:
            if (portion := self._read(call, most)) is not None:
                weight += portion.weight
                portions.append(portion)
        return portions

    def _read_large(self) -> list[Portion]:
        portions: list[Portion] = []
        weight, most = 0, self._pace_of_large.weight()
        while weight < most and self._pace_of_large.has_time() and (large := self._agenda.next_large()) is not None:
            if (portion := self._read(large, most)) is not None:
                weight += portion.weight
                portions.append(portion)
        return portions

    def _read(self, taken: Call | Job, most: int) -> Portion | None:
        """Read the next portion of a call, of at most such a weight, or refuse a call that cannot be read."""
        if isinstance(taken, Call):
            call = taken
            if not call.caller.is_own:
                self._parts.metrics.observe_wait(time.monotonic() - call.arrived_s)
            portion = attempt(lambda: self._parts.reader.read(call).next_portion(most))
        else:
            call = taken.call
            portion = attempt(partial(taken.next_portion, most))
        if isinstance(portion, Refusal):
            self._answer(call, portion)
            return None
        return portion

    async def _decide_together(self, portions: list[Portion]) -> None:
        """Decide portions together. A slow store is waited for by a task of its own."""
        late, timely = self._by_lateness(portions)
        for part in (late, timely):
            if not part:
                continue
            group = attempt(partial(self._plan, part))
            if isinstance(group, Refusal):
                self._refuse(part, group)
            elif part is late:
                self._settle(group, Reason.STORE_TIMEOUT)
            else:
                await self._ask_store(group)

    def _by_lateness(self, portions: list[Portion]) -> tuple[list[Portion], list[Portion]]:
        """Divide portions into those that are too late to ask the store, and the others."""
        now_s = time.monotonic()
        divided: tuple[list[Portion], list[Portion]] = ([], [])
        for portion in portions:
            divided[self._answer_by_s(portion) - now_s >= LEAST_BUDGET_S].append(portion)
        return divided

    async def _ask_store(self, group: Group) -> None:
        """Ask about a group. The store has the whole budget, whatever patience is left to the callers.

        Each call is limited when its own time is over; a late answer is still waited for, as it says that the store is
        well, and leaves the connection in order.
        """
        await self._parts.fetcher.room()
        stored = self._parts.fetcher.ask(group.planned.subjects, self._parts.budget_s, is_measured=not group.is_own)
        if not isinstance(stored, asyncio.Future):
            self._settle(group, stored)
            return
        task = asyncio.get_running_loop().create_task(self._settle_or_refuse(group, stored))
        self._awaiting_store.add(task)
        task.add_done_callback(self._awaiting_store.discard)

    async def _settle_or_refuse(self, group: Group, fetching: "asyncio.Future[Stored]") -> None:
        problem = await attempt_async(self._settle_when_fetched(group, fetching))
        if isinstance(problem, Refusal):
            self._refuse(group.portions, problem)

    async def _settle_when_fetched(self, group: Group, fetching: "asyncio.Future[Stored]") -> None:
        """Wait for the store; limit each call when its own time is over."""
        left = group
        while left.portions:
            next_s = min(map(self._answer_by_s, left.portions)) - time.monotonic()
            await asyncio.wait({fetching}, timeout=max(next_s, 0))
            if fetching.done():
                self._settle(left, group.records_of(left, fetching.result()))
                return
            now_s = time.monotonic()
            self._settle(left.where(lambda portion: self._answer_by_s(portion) <= now_s), Reason.STORE_TIMEOUT)  # noqa: B023  # used at once
            left = left.where(lambda portion: self._answer_by_s(portion) > now_s)  # noqa: B023  # used at once

    def _plan(self, portions: Sequence[Portion]) -> Group:
        rulebook = self._decider.rulebook()
        requests = [request for portion in portions for request in portion.requests]
        return Group.of(portions, self._decider.plan(requests, rulebook.policy), rulebook)

    def _settle(self, group: Group, stored: Stored) -> None:
        """Decide a group, and answer the calls that are thereby complete."""
        problem = attempt(partial(self._decide_group, group, stored))
        if isinstance(problem, Refusal):
            self._refuse(group.portions, problem)
            return
        for portion in group.portions:
            answer = attempt(partial(portion.job.answer, group.rulebook.policy))
            if answer is not None:
                self._answer(portion.job.call, answer)
                continue
            # The next portion has the whole budget again, unless this one was too late.
            if stored is not Reason.STORE_TIMEOUT:
                portion.job.since_s = time.monotonic()
            self._agenda.resume(portion.job)
            self._lane.wake()

    def _decide_group(self, group: Group, stored: Stored) -> None:
        if not group.planned.items:
            return
        decided = self._decider.decide(group.planned, stored, group.rulebook)
        group.hand_out(decided)
        items, counted = group.without_own(decided)
        observe_all(self._parts.observer, items)
        if counted:
            self._parts.metrics.observe_batch(len(counted))
            self._parts.metrics.count_decisions([decision for decision, _ in counted])

    def _refuse(self, portions: Sequence[Portion], refusal: Refusal) -> None:
        for portion in portions:
            self._answer(portion.job.call, refusal)

    def _answer(self, call: Call, answer: bytes | Refusal) -> None:
        self._lane.answer(call, answer)
        if not call.caller.is_own:
            self._parts.metrics.observe_decision(time.monotonic() - call.arrived_s)

    def _answer_by_s(self, portion: Portion) -> float:
        return min(portion.job.call.deadline_s, portion.job.since_s + self._parts.budget_s)
