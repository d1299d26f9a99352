"""RecordActivity: many activities in two round trips, each with an outcome of its own.

All subjects are read at once, the core derives their new records, and all changes are written at once. A change is
written only while its subject's records are those that were read (ADR 10); the rest is repeated with the current
records. An error acknowledges nothing: repeating the call with the same activity ids counts nothing twice.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from adtargeting.v1 import profile_pb2 as pb

from server.calls.activity_reading import read_activity, request_of
from server.calls.call_context import CallContext
from server.choices.retry import attempts
from server.decisions.containment import observe_all
from server.errors import InvalidRequest, MayCountTwice
from server.messages.enums import enum
from server.messages.reading import Batch, parse_batch
from server.store.ports import RecordChange, StoreError, StoreUnavailable
from targeting.decision import PlannedRequest, plan
from targeting.model import AdRequest, Subject
from targeting.reasons import Reasons, reasons_in
from targeting.recording.activity import Activity
from targeting.recording.admission import forbidden_by_records, forbidden_by_request
from targeting.recording.record import Outcome, PendingActivity, Recorded, Result, record
from targeting.records.deduplication import KEPT_S
from targeting.records.stored_records import StoredRecords

_DAY_S = 86_400
_Linked = tuple[tuple[Subject, bytes | None], ...]


class _Task(NamedTuple):
    """One activity that its own signals allow; ``place`` counts from the first in the request."""

    place: int
    activity_id: str
    activity: Activity
    item: PlannedRequest


def record_activity(payload: bytes, context: CallContext) -> bytes:
    """Record activities; see ``ProfileService.RecordActivity``. Raises ``InvalidRequest``, ``StoreError``."""
    activities = parse_batch(pb.RecordActivityRequest, "activities", pb.Activity, payload)
    results = _Recorder(context).record(activities)
    for outcome, count in Counter(result.outcome for result in results).items():
        context.metrics.count_profile_writes(outcome.name.lower(), count)
    return pb.RecordActivityResponse(results=map(_message, results)).SerializeToString()


class _Recorder:
    """Records the activities of one request, under one policy and at one time."""

    def __init__(self, context: CallContext) -> None:
        self._context = context
        self._policy = context.rulebook().policy
        self._now_s = context.now()
        self._deadline_s = time.monotonic() + context.budget_s
        self._results: dict[int, Result] = {}

    def record(self, activities: Batch[pb.Activity]) -> list[Result]:
        """Return the results in order; an activity that could not be read is rejected. Raises ``StoreError``."""
        if tasks := self._admitted(activities):
            try:
                self._record_all(tasks)
            except StoreError as problem:
                if all(task.activity_id for task in tasks):
                    raise
                raise MayCountTwice from problem
        return [self._results[index] for index in range(len(activities))]

    def _record_all(self, tasks: list[_Task]) -> None:
        for _ in attempts(self._left_s):
            tasks = self._round(tasks)
            if not tasks:
                return
        raise StoreUnavailable("the subjects' records kept changing")

    def _admitted(self, activities: Iterable[pb.Activity | InvalidRequest]) -> list[_Task]:
        """Return the activities to record; settle those that the request alone rejects or suppresses."""
        sent = list(self._sent(activities))
        requests = [request for _, _, request in sent]
        planned = self._context.canaries.withhold(plan(requests, self._policy, self._now_s))
        # A signal outlasts its activity, also a rejected one.
        observe_all(self._context.decisions.observer, planned.items)
        now_s = int(self._now_s)
        oldest_s = now_s - self._policy.retention.profile_days * _DAY_S
        tasks = []
        for (index, message, _), item in zip(sent, planned.items, strict=True):
            try:
                activity = read_activity(message, now_s, oldest_s)
            except InvalidRequest as problem:
                self._results[index] = Result(Outcome.REJECTED, field=problem.field)
                continue
            if forbidden := forbidden_by_request(item, self._policy):
                self._results[index] = Result(Outcome.SUPPRESSED, forbidden)
            else:
                tasks.append(_Task(index, message.activity_id, activity, item))
        return tasks

    def _sent(self, activities: Iterable[pb.Activity | InvalidRequest]) -> Iterable[tuple[int, pb.Activity, AdRequest]]:
        for index, message in enumerate(activities):
            try:
                if isinstance(message, InvalidRequest):
                    raise message
                request = request_of(message, self._context.caller.share)
                yield index, message, self._context.canaries.checked(request)
            except InvalidRequest as problem:
                self._results[index] = Result(Outcome.REJECTED, field=problem.field)

    def _round(self, tasks: Sequence[_Task]) -> list[_Task]:
        """Read, derive and write once. Return the tasks whose records changed in between."""
        subjects = list(dict.fromkeys(subject for task in tasks for subject in task.item.subjects))
        held = dict(zip(subjects, self._context.store.read(subjects, self._left_s()), strict=True))
        by_subject: dict[Subject, list[_Task]] = {}
        for task in tasks:
            by_subject.setdefault(task.item.subjects[0], []).append(task)
        pending: list[tuple[list[_Task], Recorded]] = []
        changes: list[RecordChange] = []
        for subject, group in by_subject.items():
            recorded = self._recorded(subject, group, held)
            if recorded.values is None:
                self._settle(group, recorded)
            else:
                pending.append((group, recorded))
                linked = _linked(group, subject, held)
                changes.append(RecordChange(subject, held[subject], *recorded.values, seen_ttl_s=KEPT_S, linked=linked))
        stale: list[_Task] = []
        for (group, recorded), committed in zip(
            pending, self._context.store.commit(changes, self._left_s()), strict=True
        ):
            if committed.landed:
                self._settle(group, recorded)
            else:
                stale += group
        return stale

    def _recorded(self, subject: Subject, group: Sequence[_Task], held: dict[Subject, StoredRecords]) -> Recorded:
        entries = [PendingActivity(task.activity_id, task.activity, self._forbidden(task.item, held)) for task in group]
        return record(held[subject], entries, self._policy, int(self._now_s))

    def _forbidden(self, item: PlannedRequest, held: dict[Subject, StoredRecords]) -> Reasons:
        records = [held[subject] for subject in item.subjects]
        naps = [nap for text in item.cookies.naps if (nap := self._context.open_nap(text)) is not None]
        return forbidden_by_records(records, self._policy, self._now_s, item, naps)

    def _settle(self, group: Sequence[_Task], recorded: Recorded) -> None:
        self._results.update(zip((task.place for task in group), recorded.results, strict=True))

    def _left_s(self) -> float:
        return self._deadline_s - time.monotonic()


def _linked(group: Sequence[_Task], subject: Subject, held: Mapping[Subject, StoredRecords]) -> _Linked:
    """Return the other subjects of the activities, and the preferences that allowed the write."""
    others = dict.fromkeys(other for task in group for other in task.item.subjects if other != subject)
    return tuple((other, held[other].held().preference) for other in others)


def _message(result: Result) -> pb.ActivityResult:
    return pb.ActivityResult(
        outcome=enum(result.outcome), reasons=map(enum, reasons_in(result.reasons)), field=result.field
    )
