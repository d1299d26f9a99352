"""A choice that is neither on disk nor on a replica is UNCONFIRMED: one server's memory confirms nothing."""

from pathlib import Path

import pytest
from adtargeting.v1 import preference_pb2 as preferences

from server.choices.choice_store import ChoiceStore
from tests.faults.known_person import known_person
from tests.faults.redis_process import IN_MEMORY, RedisProcess
from tests.server.running_service import opt_out

pytestmark = pytest.mark.fault(row=4)


@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_a_choice_that_a_kill_can_lose_is_unconfirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(ChoiceStore, "_missing", lambda *_: iter(()))
    with (
        RedisProcess(tmp_path / "redis", *IN_MEMORY) as redis,
        known_person(tmp_path, redis_url=f"redis://127.0.0.1:{redis.port}/0") as alice,
    ):
        receipt = opt_out(alice.channel)
        redis.kill()
        redis.start()
        assert redis.ask(b"KEYS", b"adt:{a:*:pref") == [], "nothing was lost"
    assert (receipt.durability == preferences.DURABILITY_UNCONFIRMED) == protected
    assert (list(receipt.missing_confirmations) == [preferences.CONFIRMATION_DISK]) == protected
