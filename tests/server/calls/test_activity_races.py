"""RecordActivity: writers that meet, answers that are lost, and opt-outs between reading and writing."""

from collections.abc import Sequence

import pytest
from adtargeting.v1 import targeting_pb2

from server.store.ports import Committed, RecordChange, StoreTimeout, StoreUnavailable
from targeting.records.deduplication import KEPT_S
from tests.server.calls.contended_stores import Contended, Plain
from tests.server.calls.direct_service import MUID, Service, saw, service, viewed
from tests.server.store.fake_store import FakeStore

CLIENT = targeting_pb2.ClientSettings
SIGNALS = targeting_pb2.PrivacySignals


class TestRaces:
    def test_a_change_that_meets_another_is_made_again(self) -> None:
        store = Contended(3)
        calls = service(store)
        assert calls.outcomes(saw("a1"), viewed("b1", account_id="bob")) == ["RECORDED", "RECORDED"]
        assert calls.get(account_id="alice").exposures[0].count == 4
        assert calls.get(account_id="bob").version == 1

    def test_a_subject_that_never_rests_is_unavailable_and_the_repeat_is_safe(self) -> None:
        store = Contended(32)
        calls = service(store)
        with pytest.raises(StoreUnavailable):
            calls.record(saw("a1"), viewed("b1", account_id="bob"))
        assert calls.outcomes(saw("a1"), viewed("b1", account_id="bob")) == ["RECORDED", "DUPLICATE"]

    def test_an_answer_that_was_lost_counts_nothing_twice(self) -> None:
        store = Contended(0, fails=True)
        calls = service(store)
        with pytest.raises(StoreTimeout):
            calls.record(saw("a1"))
        assert calls.outcomes(saw("a1")) == ["DUPLICATE"]
        assert calls.get(account_id="alice").exposures[0].count == 1

    @pytest.mark.parametrize(
        ("chooses", "reason"),
        [
            ({"account_id": "alice"}, "ACCOUNT_OPT_OUT"),
            ({"device_id": MUID}, "DEVICE_OPT_OUT"),
            ({"account_id": "anid-7"}, "ACCOUNT_OPT_OUT"),
        ],
        ids=["of the account", "of the browser that comes along", "of the account that is linked"],
    )
    def test_an_opt_out_between_reading_and_writing_wins(self, chooses: dict[str, str], reason: str) -> None:
        class OptingOut(FakeStore):
            def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
                if changes and changes[0].profile:
                    Service(Plain(self), Plain(self)).opt_out(**chooses)
                return super().commit(changes, budget_s)

        calls = service(OptingOut())
        activity = viewed("a1", account_id="alice", cookie_header=f"MUID={MUID}; ANON=A=anid-7")
        assert calls.outcomes(activity) == [f"SUPPRESSED {reason}"]
        assert not calls.get(account_id="alice").profile_held

    def test_an_activity_is_known_again_for_a_day(self) -> None:
        store = FakeStore()
        calls = service(store)
        calls.record(saw("a1"))
        for later_s, outcome in ((KEPT_S - 1, "DUPLICATE"), (KEPT_S + 1, "RECORDED")):
            store.now_s = later_s
            assert calls.outcomes(saw("a1")) == [outcome]

    def test_what_may_not_be_recorded_asks_no_store(self) -> None:
        store = Contended(0)
        service(store).record(viewed(cookie_header="TOptOut=1"))
        assert store.reads == 0

    def test_a_store_that_is_down(self) -> None:
        store = FakeStore()
        store.down = True
        with pytest.raises(StoreUnavailable):
            service(store).record(viewed())
