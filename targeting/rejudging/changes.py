"""What another policy would change about one decision, by the names that ``check-policy --against`` uses.

A decision loosens where nothing restricts it any longer, and where a network would receive more from a person whom
nothing limits. This module knows no request.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from targeting.policy.directions import DIRECTIONS, Direction, Effect, higher_loosens
from targeting.reasons import NO_REASONS, Reason, Reasons, reasons_in
from targeting.rejudging.answers import NetworkAnswers
from targeting.rejudging.verdict import OtherVerdict

_KEYS: Final[Mapping[Reason, str]] = {
    Reason.DO_NOT_TRACK: "signals.honour_do_not_track",
    Reason.UNDER_AGE: "children",
    Reason.TCF_NO_CONSENT: "gdpr",
    Reason.SIGNAL_UNREADABLE: "gdpr",
    Reason.OPT_IN_REQUIRED: "consent.explicit_opt_in_in",
}
"""The key of the policy that a reason hangs on. Only one unreadable signal depends on the policy: a TC string."""

_PARTS: Final[Mapping[str, Direction]] = {
    "contact": higher_loosens,
    **{
        name: DIRECTIONS["networks"][name]
        for name in ("fields", "user_id", "buyeruid", "precise_position", "ipv4_bits", "ipv6_bits")
    },
}
_INDEX: Final = {name: NetworkAnswers._fields.index(name) for name in _PARTS}


class Change(NamedTuple):
    """One change of a decision. ``network`` is empty where the decision itself changes."""

    name: str
    effect: Effect
    reason: Reason
    network: str = ""
    asks_store: bool = False
    """Whether it loosens only if the records that were not asked for restrict nothing."""


def changes_between(before: OtherVerdict, after: OtherVerdict) -> list[Change]:
    """Return what changes from one policy's verdict to another's, the decision first."""
    return [
        *decision_changes(before.reasons, after.reasons, asks_store=after.asks_store),
        *network_changes(before.networks, after.networks),
    ]


def decision_changes(before: Reasons, after: Reasons, *, asks_store: bool) -> list[Change]:
    """Return what changes about the decision itself: one change for each reason that restricts under one policy only.

    A decision that stays restricted, for whatever reasons, does not change.
    """
    if bool(before) == bool(after):
        return []
    effect = Effect.TIGHTENS if after else Effect.LOOSENS
    return [Change(key_of(reason), effect, reason, asks_store=asks_store) for reason in reasons_in(after or before)]


def network_changes(before: Sequence[NetworkAnswers], after: Sequence[NetworkAnswers]) -> list[Change]:
    """Return what changes for networks; those of both policies are the same, in the same order."""
    return [change for old, new in zip(before, after, strict=True) if old != new for change in _of_network(old, new)]


def key_of(reason: Reason) -> str:
    """Return the key of the policy that a reason hangs on."""
    return _KEYS.get(reason, f"reasons.{reason.name.lower()}")


def _of_network(before: NetworkAnswers, after: NetworkAnswers) -> Iterator[Change]:
    for name, direction in _PARTS.items():
        old, new = before[_INDEX[name]], after[_INDEX[name]]
        for effect in sorted(direction(old, new) - {Effect.CHANGES}) if old != new else ():
            yield from _of_part(name, effect, before, after)


def _of_part(name: str, effect: Effect, before: NetworkAnswers, after: NetworkAnswers) -> Iterator[Change]:
    decisive: Any = (before, after) if effect is Effect.LOOSENS else (after, before)
    withheld = Reasons(decisive[0].reasons & ~decisive[1].reasons)
    for reason in reasons_in(withheld) if withheld != NO_REASONS else (Reason.NETWORK_POLICY,):
        yield Change(f"networks.{before.name}.{name}", effect, reason, network=before.name)
