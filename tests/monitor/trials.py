"""Faults, each with the alert that must fire for it and resolve when it is over."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple

from server.store.keys import identity_key
from tests.monitor.callers import Client, connect
from tests.monitor.scene import Scene
from tests.monitor.traffic import Request, invented_devices, largest_batches
from tests.pki import DAY

_POLL_S, _PATIENCE_S = 0.2, 90.0


class Stage:
    """What a fault can be made with."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._clients = ExitStack()

    def ask(self, *words: str) -> None:
        """Send one command to the store."""
        self.scene.redis.ask(*(word.encode() for word in words))

    def begin(self, requests: Callable[[], Iterator[Request]], at_a_time: int = 1) -> None:
        """Let one more client send requests, many at a time."""
        self._clients.enter_context(Client(connect(self.scene.address), requests, at_a_time))

    def begin_stranger(self) -> None:
        """Let a client without a credential call the guarded service, and one whose role is not enough."""
        self._clients.enter_context(self.scene.guarded.stranger())
        self._clients.enter_context(self.scene.guarded.ad_server())

    def end(self) -> None:
        """Stop these clients."""
        self._clients.close()


class Fault(NamedTuple):
    """What is done, the alert that it must raise, and what ends it."""

    name: str
    alert: str
    inject: Callable[[Stage], None]
    heal: Callable[[Stage], None] = lambda _: None


class Outcome(NamedTuple):
    """When the alert of a fault fired and resolved, in seconds after the fault and after its end; None: never.

    An alert that fired before the fault was made has not fired for it.
    """

    fault: Fault
    fired_s: float | None
    resolved_s: float | None

    @property
    def holds(self) -> bool:
        """Whether it fired and resolved."""
        return self.fired_s is not None and self.resolved_s is not None


class Trial:
    """One fault: ``inject`` makes it, ``finish`` waits for the alert, ends the fault and waits for the alert's end."""

    def __init__(self, fault: Fault, stage: Stage) -> None:
        self._fault = fault
        self._stage = stage
        self._since_s = 0.0
        self._fires_already = False

    def run(self) -> Outcome:
        """Make the fault, and return what became of the alert."""
        self.inject()
        return self.finish()

    def inject(self) -> None:
        """Make the fault."""
        self._fires_already = self._fires()
        self._since_s = time.monotonic()
        self._fault.inject(self._stage)

    def finish(self) -> Outcome:
        """Return what became of the alert."""
        fired_s = None if self._fires_already else self._wait_until(fires=True)
        self._fault.heal(self._stage)
        self._since_s = time.monotonic()
        return Outcome(self._fault, fired_s, self._wait_until(fires=False))

    def _fires(self) -> bool:
        return self._fault.alert in self._stage.scene.prometheus.firing()

    def _wait_until(self, *, fires: bool) -> float | None:
        """Return how long it took, or None if it never came to it. What was so before has taken no patience."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while self._fires() != fires:
            if time.monotonic() > deadline_s:
                return None
            time.sleep(_POLL_S)
        return time.monotonic() - self._since_s


KILLED: Final = Fault(
    "a worker is killed three times",
    "AdtargetingProcessesDie",
    inject=lambda stage: stage.scene.kill_workers(3),
)
"""Comes first: a worker takes what it knows of unconfirmed choices with it."""

UNCONFIRMED: Final = Fault(
    "the disk confirms no choice",
    "AdtargetingChoicesUnconfirmed",
    inject=lambda stage: stage.ask("CONFIG", "SET", "appendfsync", "no"),
    heal=lambda stage: stage.ask("CONFIG", "SET", "appendfsync", "always"),
)
"""Its alert takes a minute, in which the others are tried."""

FAULTS: Final = (
    Fault(
        "the store does not answer for 8 s",
        "AdtargetingStoreDown",
        inject=lambda stage: stage.ask("CLIENT", "PAUSE", "8000", "ALL"),
    ),
    Fault(
        "the store takes no writes",
        "AdtargetingStoreNotWritable",
        inject=lambda stage: stage.ask("CONFIG", "SET", "min-replicas-to-write", "1"),
        heal=lambda stage: stage.ask("CONFIG", "SET", "min-replicas-to-write", "0"),
    ),
    Fault(
        "the store's own record is gone",
        "AdtargetingStoreUntrusted",
        inject=lambda stage: stage.ask("DEL", identity_key(b"adt").decode()),
        heal=lambda stage: stage.scene.trust_store(),
    ),
    Fault(
        "the audit log is full",
        "AdtargetingAuditLost",
        inject=lambda stage: stage.scene.limit_files(1),
        heal=lambda stage: stage.scene.limit_files(resource.RLIM_INFINITY),
    ),
    Fault(
        "a guard of opt-outs is taken out",
        "AdtargetingCanaryLeak",
        inject=lambda stage: stage.scene.guarded.leak(),
        heal=lambda stage: stage.scene.guarded.mend(),
    ),
    Fault(
        "a certificate has two days left",
        "AdtargetingCertificateEndsSoon",
        inject=lambda stage: stage.scene.guarded.renew(2 * DAY),
        heal=lambda stage: stage.scene.guarded.renew(90 * DAY),
    ),
    Fault(
        "a stranger calls",
        "AdtargetingDenials",
        inject=Stage.begin_stranger,
        heal=Stage.end,
    ),
    Fault(
        "one client floods",
        "AdtargetingRefusals",
        inject=lambda stage: stage.begin(largest_batches, at_a_time=8),
        heal=Stage.end,
    ),
    Fault(
        "one client invents devices",
        "AdtargetingSignalsNotStored",
        inject=lambda stage: stage.begin(invented_devices),
        heal=Stage.end,
    ),
)
