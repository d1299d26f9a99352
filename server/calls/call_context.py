"""The dependencies of the handlers of the second lane."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from server.canaries.guard import NO_GUARD, CanaryGuard
from server.decisions.decider import Decider
from server.decisions.fetcher import Fetcher
from server.decisions.signal_observer import SignalObserver
from server.geo.ip_location import IpLocator
from server.metrics.metrics import Metrics
from server.security.audit import NO_AUDIT, AuditTrail
from server.security.caller import ANONYMOUS, Caller
from server.store.ports import RecordStore
from targeting.decision import Rulebook
from targeting.model import Subject
from targeting.records.preference import Preference
from targeting.signals.nap import Nap


def _ignore(_: Subject, __: Preference) -> None:
    """Do nothing."""


def _concern(_: Sequence[Subject]) -> None:
    """Do nothing."""


def _no_pseudonym(_: Subject) -> bytes:
    """Return nothing."""
    return b""


def _unknown() -> float:
    """Return NaN."""
    return float("nan")


class DecisionParts(NamedTuple):
    """What explains a decision, and takes note of the signals of activities."""

    decider: Decider
    fetcher: Fetcher
    observer: SignalObserver


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
    caller: Caller = ANONYMOUS
    """Who makes the call; the rate of new devices counts by it."""
    canaries: CanaryGuard = NO_GUARD
    """What keeps callers from the ids of leak canaries."""
    replicas: int = 0
    needs_disk: bool = False
    """Whether a choice is confirmed only once it is on disk."""
    on_unconfirmed: Callable[[Subject, Preference], None] = _ignore
    """Called with a choice that is stored and not yet confirmed."""
    audit: AuditTrail = NO_AUDIT
    pseudonym: Callable[[Subject], bytes] = _no_pseudonym
    """The pseudonym of a subject, by which the audit log names it."""
    on_subjects: Callable[[Sequence[Subject]], None] = _concern
    """Called with the subjects whose records are read or changed, before they are."""
    country_table_age_s: Callable[[], float] = _unknown
    """Seconds since the country database was built; NaN if it does not say."""
