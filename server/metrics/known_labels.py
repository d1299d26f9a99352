"""The values of labels that are known beforehand, and their series at zero.

A series that first appears with its first event hides that event from ``rate()``, so every known one is there from the
start.
"""

from collections.abc import Iterable
from itertools import product
from typing import Final, Literal, get_args

from prometheus_client import Counter, Histogram

from server.store.measured import StoreFault
from server.store.ports import RecordOperation
from targeting.consent import GPP, TCF, US_PRIVACY
from targeting.recording.record import Outcome
from targeting.records.preference import Choice, Source

StoreOperation = Literal["fetch", RecordOperation]
PutOff = Literal["sticky", "unconfirmed"]
"""Work that was put off: signals to store, and choices to confirm."""
PutOffFault = Literal["full", "unavailable", "internal"]

STORE_OPERATIONS: Final = get_args(StoreOperation)
STORE_FAULTS: Final = get_args(StoreFault)
PUT_OFF: Final = get_args(PutOff)
PUT_OFF_FAULTS: Final = get_args(PutOffFault)
CHOICES: Final = tuple(choice.name.lower() for choice in Choice if choice is not Choice.NONE)
SOURCES: Final = tuple(source.name.lower() for source in Source)
DURABILITIES: Final = ("confirmed", "unconfirmed")
PROFILE_OUTCOMES: Final = (*(outcome.name.lower() for outcome in Outcome), "corrected", "erased")
UNREADABLE_SIGNALS: Final = (TCF, GPP, US_PRIVACY, "nap", "request")


def start_at_zero(metric: Counter | Histogram, *values: Iterable[str]) -> None:
    """Make the series of every combination of label values, in the order of the metric's labels."""
    for labels in product(*values):
        metric.labels(*labels)
