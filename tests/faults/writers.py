"""Writers at full speed, in processes of their own so that nothing but Redis slows them, and what they saw."""

import random
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized, SynchronizedArray
from multiprocessing.synchronize import Event
from typing import Any, NamedTuple

from adtargeting.v1 import profile_pb2 as pb

from server.errors import NotAllowed
from server.store.keys import seen_key
from server.store.ports import Committed, RecordChange, StoreError
from server.store.redis.commit import CHOICE_AT
from server.store.redis.connection import pack
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from targeting.records.preference import CHOICES_THAT_ALLOW
from tests.server.calls.direct_service import Service, saw, viewed
from tests.server.store.fake_store import PSEUDONYMS

PROCESSES = get_context("spawn")
WINDOW = 8
"""Writers keep to the people around the one who is opting out, where the races are."""

_ERASURES, _CORRECTIONS = 0.05, 0.15
"""Shares of the writes."""


class Floor(NamedTuple):
    """What the writers share with the one who opts people out."""

    opted_out: "SynchronizedArray[Any]"
    """A byte a person: 1 once the opt-out is acknowledged."""
    current: "Synchronized[int]"
    """Who is opting out now."""
    written: "Synchronized[int]"
    late: "Synchronized[int]"
    """Writes that were acknowledged though they began after the opt-out was."""
    ready: "Synchronized[int]"
    done: Event


class Crowd(NamedTuple):
    """How many people there are, and how many writers write about them from how many processes."""

    people: int
    writers: int
    processes: int = 2
    corrects: bool = True
    """Whether they also correct and erase profiles, which an opt-out of the browser alone does not forbid."""


def name_of(number: int) -> str:
    return f"person {number}"


def device_of(number: int) -> str:
    """The one browser that this person uses: its cookie comes along with every activity. All zeros would be nobody."""
    return f"{number + 1:032x}"


def open_floor(crowd: Crowd) -> Floor:
    return Floor(
        PROCESSES.Array("b", crowd.people),
        PROCESSES.Value("i", 0),
        PROCESSES.Value("i", 0),
        PROCESSES.Value("i", 0),
        PROCESSES.Value("i", 0),
        PROCESSES.Event(),
    )


class CheckThenWrite(RedisStore):
    """The protection switched off: it looks whether it may write, and then writes."""

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        return [Committed(self._write(change, time.monotonic() + budget_s)) for change in changes]

    def _write(self, change: RecordChange, deadline_s: float) -> bool:
        _, preference, profile = PSEUDONYMS.locate(change.subject)
        with closing(self._connector._open_primary()) as link:
            held = link.ask((b"GET", preference), deadline_s)
            if held is not None and held[CHOICE_AT] not in CHOICES_THAT_ALLOW:
                return False
            values = {preference: change.preference, profile: change.profile, seen_key(profile): change.seen}
            commands = [pack((b"SET", key, value)) for key, value in values.items() if value]
            link.exchange(b"".join(commands), len(commands), deadline_s)
        return True


STORES = {"guarded": RedisStore, "check-then-write": CheckThenWrite}


def write_until_done(address: RedisAddress, kind: str, crowd: Crowd, floor: Floor, seed: int) -> None:
    """Run one process's share of the writers."""
    share = crowd.writers // crowd.processes
    threads = [
        threading.Thread(
            target=_write, args=(STORES[kind](Primary(address), PSEUDONYMS), crowd, floor, seed * 1000 + number)
        )
        for number in range(share)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _write(store: RedisStore, crowd: Crowd, floor: Floor, seed: int) -> None:
    chance, service, number = random.Random(seed), Service(store, store), 0
    with floor.ready.get_lock():
        floor.ready.value += 1
    while not floor.done.is_set():
        near = range(max(floor.current.value - 1, 0), min(floor.current.value + WINDOW, crowd.people))
        who = chance.choice(near)
        opted_out = bool(floor.opted_out[who])
        number += 1
        try:
            written = _write_once(service, who, f"{seed}-{number}", chance, crowd)
        except (StoreError, NotAllowed):
            continue
        if written:
            with floor.written.get_lock():
                floor.written.value += 1
                floor.late.value += opted_out
    store.close()


def _write_once(service: Service, who: int, change_id: str, chance: random.Random, crowd: Crowd) -> bool:
    """Record an activity, or now and then erase or correct the profile; return whether anything was added to it."""
    kind = chance.random() if crowd.corrects else 1.0
    if kind < _ERASURES:
        service.delete(account_id=name_of(who))
        return False
    if kind < _ERASURES + _CORRECTIONS:
        service.update(["occupation"], pb.DeclaredAttributes(occupation=change_id), account_id=name_of(who))
        return True
    return service.outcomes(_activity(change_id, who, chance)) == ["RECORDED"]


def _activity(activity_id: str, who: int, chance: random.Random) -> pb.Activity:
    named = {"account_id": name_of(who), "cookie_header": f"MUID={device_of(who)}"}
    if chance.random() < 0.5:
        return saw(activity_id, f"ad-{chance.randrange(20)}", **named)
    return viewed(activity_id, str(chance.randrange(223, 300)), **named)
