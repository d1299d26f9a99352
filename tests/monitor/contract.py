"""The specification of a run: the metrics that operators build on with their labels, and what a run leaves still.

A name of the contract stays as it is, so this list is written out, and not taken from the service.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

PREFIX: Final = "adtargeting_"

CONTRACT: Final[Mapping[str, tuple[str, ...]]] = {
    "decisions_total": ("mode",),
    "limit_reasons_total": ("reason",),
    "decision_seconds": (),
    "store_seconds": ("operation",),
    "store_errors_total": ("operation", "kind"),
    "profile_writes_total": ("outcome",),
    "preference_changes_total": ("choice", "source", "durability"),
    "network_profiles_total": ("network", "shared"),
    "signal_decode_errors_total": ("signal",),
    "circuit_open": (),
    "inflight": (),
    "policy_info": ("version",),
    "build_info": ("version", "python", "gate"),
    "store_up": (),
    "store_writable": (),
    "store_trusted": (),
    "country_table_age_seconds": (),
    "sticky_dropped_total": (),
    "processes": (),
    "unconfirmed_preference_age_seconds": (),
    "calls_total": ("method", "code"),
    "refused_total": ("cause",),
    "room_seconds": (),
    "batch_size": (),
    "loop_lag_seconds": (),
    "consent_given_up_total": (),
    "tcf_undisclosed_total": (),
    "denied_calls_total": ("role",),
    "shadow_total": ("change", "reason"),
    "canary_leaks_total": (),
}
"""By name, without the prefix."""

CONSTANT: Final[Mapping[str, str]] = {
    "build_info": "the build is the same for as long as a process lives",
    "canaries_enabled": "canaries are on from the start",
}
"""Metrics that are there and must not move."""


class Still(NamedTuple):
    """Values of a label that no series of a run moves, and why not. Without values: any value may be still."""

    why: str
    values: frozenset[str] = frozenset()

    def explains(self, value: str) -> bool:
        """Whether a value may be still."""
        return not self.values or value in self.values


def _still(why: str, *values: str) -> Still:
    return Still(why, frozenset(values))


STILL: Final[Mapping[tuple[str, str], tuple[Still, ...]]] = {
    ("limit_reasons_total", "reason"): (
        _still("no stored record is damaged", "record_unreadable"),
        _still("withholds something from one network, and limits no decision", "network_unknown", "network_policy"),
    ),
    ("calls_total", "code"): (
        _still("counts only calls whose deadline had passed on arrival; others end as cancelled", "deadline_exceeded"),
        _still("would be a fault of the service itself", "internal"),
        _still("a run calls by gRPC alone, and sends nothing that only a browser would", "unimplemented"),
    ),
    ("denied_calls_total", "role"): (
        _still("a run has no pages, scrapes on this machine, and asks for no reflection", "any", "inspect", "metrics"),
    ),
    ("refused_total", "cause"): (
        _still("one client alone holds its share at most, and the room stays open to others", "room", "bytes", "wait"),
        _still("counts only calls whose deadline had passed on arrival", "deadline"),
        _still("a process that stops is scraped no more", "stopping"),
    ),
    ("shadow_total", "reason"): (_still("the two policies of a run differ in a few rules"),),
    ("store_errors_total", "kind"): (
        _still("what is put off stays far below its 10,000 places", "full"),
        _still("would be a fault of the service itself", "internal"),
    ),
}
"""By the name of a metric and of a label."""
