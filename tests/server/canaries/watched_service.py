"""A real service whose canaries are asked about twenty times a second."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from server.app import Service
from server.canaries.assembly import CanaryParts
from server.canaries.planter import Planter
from server.canaries.subjects import ids_of
from server.metrics.canary_counts import Outcome
from server.metrics.metrics import Metrics
from targeting.canaries.ids import CanaryIds
from targeting.canaries.people import CANARIES
from tests.server.running_service import settings, wait_until

EVERY_S = 0.05
POLICY = """
version = "opt-in-place"
consent.explicit_opt_in_in = ["CA-QC"]
gdpr.host_vendor_id = 755
[[networks]]
id = "net"
tcf_vendor_id = 755
fields = ["age_bracket", "gender", "country", "language", "interests"]
user_id = true
[[networks]]
id = "house"
first_party = true
fields = ["interests"]
user_id = true
"""


class Leaks(logging.Handler):
    """Keeps the lines about leaks, without those of services that other tests left open in this process."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []
        self._others = {thread.ident for thread in threading.enumerate()}

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread not in self._others:
            self.lines.append(record.getMessage())


class WatchedService:
    """The service, and what its canaries have shown."""

    def __init__(self, service: Service, leaks: Leaks) -> None:
        self.service = service
        self.leaks = leaks
        self.address = service.address

    @property
    def ids(self) -> CanaryIds:
        return ids_of(self.service.store.key)

    def id_of(self, part: str) -> str:
        return self.ids.id_of(part)

    def value(self, name: str, **labels: str) -> float:
        return self.service.metrics.registry.get_sample_value(name, labels) or 0.0

    def answers(self, outcome: Outcome) -> float:
        return self.value("adtargeting_canary_answers_total", outcome=outcome.value)

    def leak_count(self) -> float:
        return self.value("adtargeting_canary_leaks_total")

    def await_rounds(self, rounds: int = 2) -> None:
        """Wait until every canary has been asked about so often."""
        target = self.answers(Outcome.HELD) + self.answers(Outcome.LEAKED) + rounds * 3 * len(CANARIES)
        wait_until(lambda: self.answers(Outcome.HELD) + self.answers(Outcome.LEAKED) >= target, 20)

    def await_leak(self, canary: str, words: str) -> str:
        """Wait for a line about a canary with these words that is logged from now on.

        The round that is on may still show what another test has planted.
        """
        del self.leaks.lines[:]

        def said() -> list[str]:
            return [line for line in self.leaks.lines if f"canary {canary}:" in line and words in line]

        wait_until(said, 20)
        return said()[0]


@contextmanager
def watched_service(directory: Path, **more: Any) -> Iterator[WatchedService]:
    """Run the service; it is left alone until all canaries are in the store."""
    policy, leaks = directory / "policy.toml", Leaks()
    policy.write_text(POLICY)
    logger = logging.getLogger("server.canaries.watch")
    logger.addHandler(leaks)
    try:
        with Service(settings(directory, canaries="no", policy=str(policy), **more)) as service, ExitStack() as closing:
            parts = CanaryParts(service.gate, service.store, service.rules, service.metrics)
            parts.open(closing, every_s=EVERY_S)
            watched = WatchedService(service, leaks)
            # The lost preference is the last: it expires after a second.
            own = Planter(service.store.records(Metrics()), watched.ids, time.time)
            wait_until(lambda: len(own.look()) == len(CANARIES), 20)
            watched.await_rounds()
            yield watched
    finally:
        logger.removeHandler(leaks)
