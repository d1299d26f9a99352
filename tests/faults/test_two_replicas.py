"""A primary with two replicas, one of which is promoted while the primary lives: the other's word is not enough."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from server.choices.choice_store import ChoiceStore
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from targeting.decision import Rulebook
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.records.preference import Choice, Source
from tests.faults.redis_process import HOST, ON_DISK, RedisProcess
from tests.faults.test_failover import opted_out
from tests.server.store.fake_store import PSEUDONYMS

ALICE = Subject(SubjectKind.ACCOUNT, "alice")
OPT_OUT = ChoiceMade(choice=Choice.OPT_OUT, source=Source.ACCOUNT_PAGE, change_key=b"the key!", made_at_ms=1)


@dataclass
class NamedBySentinels:
    """The address of a primary, and how many replicas sentinels could promote."""

    primary: RedisAddress
    promotable: int

    def resolve(self) -> RedisAddress:
        return replace(self.primary, promotable=self.promotable)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[RedisProcess]]:
    """A primary and its two replicas."""
    with ExitStack() as stack:
        made = [stack.enter_context(RedisProcess(tmp_path / f"server-{n}", *ON_DISK)) for n in range(3)]
        for replica in made[1:]:
            replica.follow(HOST, made[0].port)
        yield made


@pytest.mark.fault(row=5)
@pytest.mark.parametrize("protected", [True, False], ids=["all that can be promoted", "one is enough"])
def test_a_choice_that_only_the_other_replica_holds_is_not_confirmed(
    servers: list[RedisProcess], *, protected: bool
) -> None:
    primary, promoted, other = servers
    address = NamedBySentinels(primary.address, promotable=2 if protected else 0)
    with closing(RedisStore(Primary(address), PSEUDONYMS)) as store:
        choices = ChoiceStore(store, lambda: Rulebook(DEFAULT_POLICY), replicas=1, confirm_budget_s=0.5)
        promoted.promote()
        stored = choices.update(ALICE, lambda held, _: apply_choice(held, OPT_OUT))
    for server in (primary, other):
        server.follow(HOST, promoted.port)
    with closing(RedisStore(Primary(promoted.address), PSEUDONYMS)) as store:
        lost = not opted_out(store, ALICE)
    assert stored is not None
    assert (stored.confirmed, lost) == (not protected, True)
