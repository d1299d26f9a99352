"""After an opt-out is acknowledged nothing is written and nobody is targeted, however hard others write."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import NamedTuple

import pytest

from server.store.ports import StoreError
from server.store.redis_store import RedisStore
from server.store.url import RedisAddress
from targeting.model import Mode, Subject, SubjectKind
from targeting.policy import DEFAULT_POLICY, OptOutPolicy
from targeting.reasons import Reason
from tests.faults.redis_process import eventually
from tests.faults.writers import PROCESSES, Crowd, Floor, name_of, open_floor, write_until_done
from tests.profile.service import Service, viewed
from tests.store.fake_store import PSEUDONYMS

A_FEW = Crowd(people=150, writers=12)
MANY = Crowd(people=2000, writers=50)
POLICIES = {
    "freeze": DEFAULT_POLICY,
    "erase": replace(DEFAULT_POLICY, opt_out=OptOutPolicy(on_opt_out="erase")),
}


class Seen(NamedTuple):
    """What went wrong, and how much was going on."""

    written: int
    landed_after: int
    acknowledged_after: int
    behavioural_after: int


@contextmanager
def writing(address: RedisAddress, kind: str, crowd: Crowd) -> Iterator[Floor]:
    """Run the writers, all of them at work before the first opt-out."""
    floor = open_floor(crowd)
    processes = [
        PROCESSES.Process(target=write_until_done, args=(address, kind, crowd, floor, seed), daemon=True)
        for seed in range(crowd.processes)
    ]
    for process in processes:
        process.start()

    def at_work() -> None:
        assert all(process.exitcode is None for process in processes), "writers died"
        if floor.written.value < crowd.writers:
            raise StoreError("the writers are not at work yet")

    try:
        eventually(at_work)
        yield floor
    finally:
        floor.done.set()
        for process in processes:
            process.join()


def opt_everybody_out(address: RedisAddress, kind: str, policy: str, crowd: Crowd) -> Seen:
    """Opt one after the other out while others write; then look what was written after each acknowledgement."""
    people = [Subject(SubjectKind.ACCOUNT, name_of(number)) for number in range(crowd.people)]
    with closing(RedisStore(address, PSEUDONYMS)) as store:
        service = Service(store, store, POLICIES[policy])
        for number in range(crowd.people):
            service.record(viewed(account_id=name_of(number)))
        left: dict[Subject, bytes | None] = {}
        behavioural = 0
        with writing(address, kind, crowd) as floor:
            for number, who in enumerate(people):
                floor.current.value = number
                service.opt_out(account_id=who.id)
                floor.opted_out[number] = 1
                left[who] = None if policy == "erase" else store.read([who], 5.0)[0].profile
                decision = service.decide(who.id)
                behavioural += decision.mode is Mode.BEHAVIOURAL or not decision.reasons & Reason.ACCOUNT_OPT_OUT.bit
        now = {who: held.profile for who, held in zip(people, store.read(people, 5.0), strict=True)}
    landed = sum(now[who] != left[who] for who in people)
    return Seen(floor.written.value, landed, floor.late.value, behavioural)


def must_hold(seen: Seen, crowd: Crowd) -> None:
    assert seen.written > crowd.people, "too little was written to prove anything"
    assert seen[1:] == (0, 0, 0)


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_is_written_after_an_opt_out(redis_address: RedisAddress, policy: str) -> None:
    must_hold(opt_everybody_out(redis_address, "guarded", policy, A_FEW), A_FEW)


def test_with_check_then_write_something_is(redis_address: RedisAddress) -> None:
    assert opt_everybody_out(redis_address, "check-then-write", "erase", A_FEW).landed_after > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_is_written_after_two_thousand_opt_outs_among_fifty_writers(
    redis_address: RedisAddress, policy: str
) -> None:
    must_hold(opt_everybody_out(redis_address, "guarded", policy, MANY), MANY)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_with_check_then_write_two_thousand_opt_outs_are_overtaken(redis_address: RedisAddress) -> None:
    assert opt_everybody_out(redis_address, "check-then-write", "erase", MANY).landed_after > 0
