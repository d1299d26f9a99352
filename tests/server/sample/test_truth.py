"""Every person of the sample, decided by the real service, gets the expected decision."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.sample.load import Loader
from server.sample.person import Person
from server.sample.population import population
from server.sample.truth import ad_request, expected
from server.settings import Settings
from server.store.embedded.server import EmbeddedRedis
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore

PEOPLE = 10_000
BATCH = 250
RETENTION_DAYS = 396
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data_dir = tmp_path_factory.mktemp("data")
    with (
        EmbeddedRedis(data_dir, fsync="everysec") as redis,
        Service(own_settings(redis.url, data_dir)) as service,
    ):
        yield service


def own_settings(redis_url: str, data_dir: Path) -> Settings:
    return Settings(
        grpc_address="127.0.0.1:0",
        metrics_address="127.0.0.1:0",
        data_dir=data_dir,
        redis_url=redis_url,
        # On a busy machine too the store, and not the clock, is to decide.
        decision_budget_ms=10_000,
        drain_grace_s=1,
    )


def test_ten_thousand_people_are_decided_as_they_were_made(service: Service) -> None:
    now_s = int(time.time())
    people = list(population(7, PEOPLE, now_s))
    load(service, people, now_s)
    wrong = Counter[tuple[str, str]]()
    modes = Counter[int]()
    with grpc.insecure_channel(service.address) as channel:
        stub = TargetingServiceStub(channel)
        for start in range(0, PEOPLE, BATCH):
            asked = people[start : start + BATCH]
            batch = pb.DecideBatchRequest(requests=map(ad_request, asked))
            answers = stub.DecideBatch(batch, timeout=TIMEOUT_S).results
            for person, answer in zip(asked, answers, strict=True):
                modes[answer.response.mode] += 1
                if difference := differs(person, answer.response):
                    wrong[difference] += 1
    assert wrong == {}
    assert modes[pb.MODE_BEHAVIOURAL] > PEOPLE // 2
    assert modes[pb.MODE_LIMITED] > PEOPLE // 5


def load(service: Service, people: list[Person], now_s: int) -> None:
    stores = [RedisStore(Primary(service.store.redis), service.store.pseudonyms) for _ in range(2)]
    try:
        done = list(Loader(stores, service.store.pseudonyms, RETENTION_DAYS).load(people, now_s))
    finally:
        for store in stores:
            store.close()
    assert sum(each.people for each in done) == len(people)
    assert sum(each.left_alone for each in done) == 0


def differs(person: Person, decided: pb.DecideResponse) -> tuple[str, str] | None:
    """Return the expected and the actual decision where they differ."""
    wanted, found = expected(person), (decided.mode, tuple(decided.reasons))
    told = decided.HasField("behavioural") == (wanted.mode == pb.MODE_BEHAVIOURAL)
    at_home = decided.limited.ip_country == person.place.country
    return None if found == wanted and told and at_home else (str(wanted), str(found))


def test_the_requests_are_like_those_of_browsers_and_apps() -> None:
    requests = [ad_request(person) for person in population(7, 500, 1_800_000_000)]
    assert any("MUID=" in request.cookie_header for request in requests)
    assert any(request.device_id for request in requests)
    assert any(request.third_party_networks for request in requests)
    assert all(request.ip and request.accept_language for request in requests)
