"""An attacker who knows everything about everybody, and looks for the person of each decision record.

The attacker knows which record each person leaves in each hour, all but the secret of the day, and takes the nearest
person: one whose record is the same, and of these one whose other records are in the same group of people.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from targeting.decision_records.crowd import Crowd
from targeting.decision_records.facts import record_of
from targeting.decision_records.form import DecisionRecord
from targeting.decision_records.person_group import day_pseudonym
from targeting.reasons import Reason
from tests.targeting.decision_records.made_up_people import Person, decisions, people


class Trace(NamedTuple):
    """A record, and the number of the person who left it."""

    record: DecisionRecord
    person: int
    pseudonym: bytes | None = None


class Found(NamedTuple):
    """The shares of the written records whose person is found: by all of a record, and by hour, country and networks.

    ``written`` is how many records were written, ``asked`` how many decisions there were.
    """

    by_record: float
    by_request: float
    written: int
    asked: int


def attack(count: int, crowd: int, hours: int = 24) -> Found:
    """Look for ``count`` people, who ask in the first hours of a day, among the records of a crowd."""
    traces = list(_day(list(people(count, hours))))
    written = list(_written(traces, crowd))
    by_class, by_request = defaultdict(list), Counter(_request(trace.record) for trace in traces)
    habits = defaultdict(set)
    for trace in traces:
        by_class[_known(trace.record)].append(trace.person)
        habits[trace.person].add(_known(trace.record))
    groups_of: dict[int | None, set[DecisionRecord]] = defaultdict(set)
    for trace in written:
        groups_of[trace.record.person].add(_known(trace.record))
    found = base = 0.0
    for trace in written:
        nearest: Sequence[int] = by_class[_known(trace.record)]
        if trace.record.person is not None:
            nearest = _nearest(nearest, habits, groups_of[trace.record.person])
        found += (trace.person in nearest) / len(nearest)
        base += 1 / by_request[_request(trace.record)]
    return Found(found / len(written), base / len(written), len(written), len(traces))


def _nearest(
    candidates: Sequence[int], habits: dict[int, set[DecisionRecord]], group: set[DecisionRecord]
) -> Sequence[int]:
    """Return the candidates the most of whose other records are in a group."""
    scores = [(len(habits[person] & group) / len(habits[person]), person) for person in candidates]
    best = max(score for score, _ in scores)
    return [person for score, person in scores if score == best]


def _day(everybody: Sequence[Person]) -> Iterator[Trace]:
    secret = random.Random(16).randbytes(32)
    for hour in range(24):
        asking = [(number, person) for number, person in enumerate(everybody) if hour in person.hours]
        for start in range(0, len(asking), 256):
            portion = asking[start : start + 256]
            made = decisions([person for _, person in portion], hour)
            for (number, _), each in zip(portion, made, strict=True):
                features, stored = each.decision.behavioural, each.decided.stored
                pseudonym = None
                if features is not None and not isinstance(stored, Reason):
                    pseudonym = day_pseudonym(features, stored[0].owner, secret)
                yield Trace(record_of(each, "e1"), number, pseudonym)


def _written(traces: Sequence[Trace], crowd: int) -> Iterator[Trace]:
    """Return what the crowd releases; the k-th released record of a class is the k-th that was left."""
    release, waiting = Crowd(crowd), defaultdict(list)
    for trace in traces:
        waiting[trace.record].append(trace)
        for record in release.release(trace.record, trace.pseudonym):
            yield waiting[trace.record].pop(0)._replace(record=record)


def _known(record: DecisionRecord) -> DecisionRecord:
    """What the attacker can tell of a person's record beforehand: all but the group."""
    return replace(record, person=None)


def _request(record: DecisionRecord) -> Hashable:
    return record.hour, record.places.ip, tuple(network.id for network in record.networks)
