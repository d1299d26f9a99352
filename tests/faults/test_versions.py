"""Two versions side by side on one store, as during a rolling upgrade and after a downgrade.

``tests/data/records-0.1.0.json`` has two people's records as version 0.1.0 wrote them, under the secret of the tests.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server.errors import NotAllowed
from server.store.redis.url import RedisAddress
from targeting.model import Mode, Subject, SubjectKind
from targeting.reasons import Reason
from targeting.records import preference
from tests.server.calls.direct_service import Service, viewed
from tests.server.store.conftest import OpenRedisStore

pytestmark = pytest.mark.fault(row=17)

RECORDS = json.loads((Path(__file__).parents[1] / "data" / "records-0.1.0.json").read_text(encoding="ascii"))
SCHEMA_AT, NEXT_SCHEMA = 2, 3
"""Where a record's form stands, after its magic, and the form that this version does not know yet."""


@pytest.fixture
def store(redis_address: RedisAddress) -> Iterator[OpenRedisStore]:
    with closing(OpenRedisStore(redis_address)) as opened:
        yield opened


@pytest.fixture
def service(store: OpenRedisStore) -> Service:
    return Service(store, store)


class TestRecordsOfTheVersionBefore:
    @pytest.fixture(autouse=True)
    def stored(self, store: OpenRedisStore) -> None:
        for account, records in RECORDS.items():
            store.put(subject(account), **{name: bytes.fromhex(value) for name, value in records.items()})

    def test_they_mean_what_they_meant(self, service: Service) -> None:
        assert service.decide("known").mode is Mode.BEHAVIOURAL
        assert service.decide("opted out").reasons == Reason.ACCOUNT_OPT_OUT.bit

    def test_they_are_written_on(self, service: Service) -> None:
        assert service.outcomes(viewed("a3", "386", account_id="known")) == ["RECORDED"]
        assert service.outcomes(viewed("a3", "386", account_id="opted out")) == ["SUPPRESSED ACCOUNT_OPT_OUT"]
        service.opt_in(account_id="opted out")
        assert service.outcomes(viewed("a4", "386", account_id="opted out")) == ["RECORDED"]


class TestRecordsOfTheNextVersion:
    """What this version makes of them is what the next one has to count on."""

    @pytest.fixture(autouse=True)
    def stored(self, store: OpenRedisStore, service: Service) -> None:
        service.record(viewed(account_id="known"))
        (held,) = store.read([subject("known")], 5.0)
        assert held.preference
        assert held.profile
        store.put(subject("known"), preference=of_next_version(held.preference), profile=held.profile)

    def test_they_limit_and_are_not_written_over(self, store: OpenRedisStore, service: Service) -> None:
        before = store.read([subject("known")], 5.0)
        assert service.decide("known").reasons == Reason.RECORD_UNREADABLE.bit
        assert service.outcomes(viewed(account_id="known")) == ["SUPPRESSED RECORD_UNREADABLE"]
        with pytest.raises(NotAllowed, match="newer version"):
            service.opt_in(account_id="known")
        assert store.read([subject("known")], 5.0) == before

    def test_an_opt_out_replaces_them(self, service: Service) -> None:
        service.opt_out(account_id="known")
        assert service.decide("known").reasons == Reason.ACCOUNT_OPT_OUT.bit


class TestRecordsOfThisVersionInTheOneBefore:
    """The version before knows only the form without actors and tickets."""

    @pytest.fixture(autouse=True)
    def before(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        """Choices of this version; from then on the version before serves."""
        service.record(viewed(account_id="plain"), viewed(account_id="with origin"), viewed(account_id="opted out"))
        service.opt_in(account_id="plain")
        service.opt_in(account_id="with origin", ticket="CASE-4711")
        service.opt_out(account_id="opted out", ticket="CASE-4712")
        monkeypatch.setattr(preference, "_schema_of", lambda _: 1)

    def test_without_actor_and_ticket_nothing_changes(self, service: Service) -> None:
        assert service.decide("plain").mode is Mode.BEHAVIOURAL
        assert service.preferences(account_id="plain").version == 1

    @pytest.mark.parametrize("account", ["with origin", "opted out"])
    def test_with_a_ticket_they_limit_and_only_an_opt_out_replaces_them(self, service: Service, account: str) -> None:
        assert service.decide(account).reasons == Reason.RECORD_UNREADABLE.bit
        with pytest.raises(NotAllowed, match="newer version"):
            service.opt_in(account_id=account)
        service.opt_out(account_id=account)
        assert service.decide(account).reasons == Reason.ACCOUNT_OPT_OUT.bit


def subject(account: str) -> Subject:
    return Subject(SubjectKind.ACCOUNT, account)


def of_next_version(record: bytes) -> bytes:
    return record[:SCHEMA_AT] + bytes((NEXT_SCHEMA,)) + record[SCHEMA_AT + 1 :]
