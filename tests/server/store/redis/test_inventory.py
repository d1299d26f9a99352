"""What a store holds, counted on real servers: records encrypted at rest and in clear, one server and a cluster."""

import time
from collections.abc import Callable
from contextlib import closing

import pytest

from server.store.record_cipher import RecordCipher
from server.store.redis.backend import Backend, backend_of
from server.store.redis.handshake import open_connection
from server.store.redis.inventory import Inventory, Opening, add_inventories, as_it_is, take_inventory
from server.store.redis.primary import accept_any
from server.store.redis.store_url import parse_store_url
from server.store.redis.url import RedisAddress
from server.store.sealed import SealedRecords
from tests.faults.cluster_nodes import ClusterNodes
from tests.server.calls.direct_service import NOW_S, Service, viewed
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

PREFIX = PSEUDONYMS.prefix
OURS, ANOTHERS = RecordCipher(b"our key"), RecordCipher(b"another key")


def one_server(request: pytest.FixtureRequest) -> Backend:
    address: RedisAddress = request.getfixturevalue("redis_address")
    return backend_of(address, PREFIX, accept_any)


def a_cluster(request: pytest.FixtureRequest) -> Backend:
    nodes: ClusterNodes = request.getfixturevalue("cluster")
    nodes.empty()
    return backend_of(parse_store_url(nodes.url), PREFIX, accept_any)


TOPOLOGIES: dict[str, Callable[[pytest.FixtureRequest], Backend]] = {"one server": one_server, "a cluster": a_cluster}


@pytest.fixture(params=TOPOLOGIES)
def backend(request: pytest.FixtureRequest) -> Backend:
    return TOPOLOGIES[request.param](request)


def fill(backend: Backend, *, seals: bool) -> None:
    """Two accounts and a device choose, the device last; a third account has a profile, with a record of no choice."""
    with closing(backend.open_store(PSEUDONYMS)) as store:
        service = Service(FakeStore(), SealedRecords(store, OURS, seals=seals))
        for later_s, subject in enumerate([{"account_id": "alice"}, {"account_id": "bob"}, {"device_id": "phone"}]):
            service.now_s = NOW_S + later_s
            service.opt_out(**subject)
        service.record(viewed(account_id="carol"))


def inventory(backend: Backend, opening: Opening) -> Inventory:
    inventories = []
    for server in backend.servers():
        with closing(open_connection(server, 5)) as connection:
            inventories.append(take_inventory(connection, PREFIX, time.monotonic() + 5, opening))
    return add_inventories(inventories)


@pytest.mark.parametrize("seals", [True, False], ids=["encrypted", "in clear"])
def test_records_and_the_newest_choice_are_counted(backend: Backend, *, seals: bool) -> None:
    fill(backend, seals=seals)
    held = inventory(backend, OURS.open)
    assert held == Inventory(accounts=3, devices=1, profiles=1, newest_choice_ms=int((NOW_S + 2) * 1000))
    assert held.records == 5


def test_a_key_that_only_looks_like_ours_is_counted_as_unreadable(redis_address: RedisAddress) -> None:
    with closing(open_connection(redis_address, 5)) as connection:
        connection.ask((b"SET", PREFIX + b":{a:A}:pref", b"x"), time.monotonic() + 5)
        held = take_inventory(connection, PREFIX, time.monotonic() + 5)
    assert held == Inventory(accounts=1, unreadable=1)


@pytest.mark.parametrize("opening", [ANOTHERS.open, as_it_is], ids=["with another key", "without a key"])
def test_what_does_not_open_is_counted_as_unreadable(backend: Backend, opening: Opening) -> None:
    fill(backend, seals=True)
    assert inventory(backend, opening) == Inventory(accounts=3, devices=1, profiles=1, unreadable=4)
