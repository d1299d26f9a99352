"""The dependencies of the handlers of the second lane."""

from collections.abc import Callable
from typing import NamedTuple

from server.decisions.worker import DecisionParts
from server.geo.ip_location import IpLocator
from server.metrics.metrics import Metrics
from server.store.ports import RecordStore
from targeting.decision import Rulebook
from targeting.model import Subject
from targeting.records.preference import Preference
from targeting.signals.nap import Nap


def _ignore(_: Subject, __: Preference) -> None:
    """Do nothing."""


class CallContext(NamedTuple):
    """One per thread, because the store's connection belongs to the thread that uses it."""

    store: RecordStore
    decisions: DecisionParts
    rulebook: Callable[[], Rulebook]
    locator: IpLocator
    open_nap: Callable[[str], Nap | None]
    metrics: Metrics
    now: Callable[[], float]
    budget_s: float = 0.5
    replicas: int = 0
    needs_disk: bool = False
    """Whether a choice is confirmed only once it is on disk."""
    on_unconfirmed: Callable[[Subject, Preference], None] = _ignore
    """Called with a choice that is stored and not yet confirmed."""
