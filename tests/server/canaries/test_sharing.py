"""Replicas of the service with one store and one key: the same canaries, which count as no people."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from server.app import Service
from server.canaries.subjects import keys_of
from server.cli.store import describe, opened_store
from server.metrics.canary_counts import Outcome
from server.store.embedded.server import EmbeddedRedis
from tests.server.running_service import settings, wait_until


def asked(service: Service, outcome: Outcome) -> float:
    value = service.metrics.registry.get_sample_value
    return value("adtargeting_canary_answers_total", {"outcome": outcome.value}) or 0.0


def _has_asked(service: Service) -> bool:
    return asked(service, Outcome.HELD) > 40


def test_replicas_share_their_canaries_and_the_store_shows_no_people(tmp_path: Path) -> None:
    key = tmp_path / "secret.key"
    key.write_text("ab" * 32)
    with EmbeddedRedis(tmp_path / "redis") as redis, ExitStack() as running:
        shared = settings(tmp_path, redis_url=redis.url, secret_key_file=str(key))
        services = [running.enter_context(Service(shared)) for _ in range(2)]
        for service in services:
            wait_until(partial(_has_asked, service))
            assert asked(service, Outcome.LEAKED) == 0
        with opened_store(shared) as store:
            inventory = store.inventory()
            lines = list(describe(store, inventory))
            assert inventory.records == inventory.newest_choice_ms == 0
            assert 0 < inventory.left_out <= len(keys_of(services[0].store.key, shared.key_prefix))
            assert f"canaries     {inventory.left_out} keys of leak canaries, not counted above" in lines
            assert "newest       no choice" in lines
