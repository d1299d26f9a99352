"""For each key of a policy, which changes loosen it: let a decision use, or a network receive, more than before.

Invariant: a key without a direction here fails a test, so a new one cannot be forgotten.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final


class Effect(StrEnum):
    """What a change does."""

    LOOSENS = "loosens"
    TIGHTENS = "tightens"
    CHANGES = "changes"
    """Neither: it concerns no permission."""


Direction = Callable[[Any, Any], frozenset[Effect]]
"""Returns what a change from one value to another, different one does."""


def higher_loosens(old: Any, new: Any) -> frozenset[Effect]:
    """For numbers, and for flags that permit."""
    return frozenset({Effect.LOOSENS if new > old else Effect.TIGHTENS})


def lower_loosens(old: Any, new: Any) -> frozenset[Effect]:
    """For numbers, and for flags that protect."""
    return higher_loosens(new, old)


def adding_loosens(old: Any, new: Any) -> frozenset[Effect]:
    """For lists of what is permitted; a list may both loosen and tighten."""
    effects = {Effect.LOOSENS} if set(new) - set(old) else set[Effect]()
    if set(old) - set(new):
        effects.add(Effect.TIGHTENS)
    return frozenset(effects or {Effect.CHANGES})


def removing_loosens(old: Any, new: Any) -> frozenset[Effect]:
    """For lists of what is protected."""
    return adding_loosens(new, old)


def may_loosen(_old: Any, _new: Any) -> frozenset[Effect]:
    """For what the files alone cannot tell: any change counts as a loosening."""
    return frozenset({Effect.LOOSENS})


def permits_nothing(_old: Any, _new: Any) -> frozenset[Effect]:
    """For names and the like."""
    return frozenset({Effect.CHANGES})


def later_loosens(*values: str) -> Direction:
    """For one of several values, the strictest first."""

    def compare(old: Any, new: Any) -> frozenset[Effect]:
        return higher_loosens(values.index(old), values.index(new))

    return compare


DIRECTIONS: Final[Mapping[str, Mapping[str, Direction]]] = {
    "": dict.fromkeys(("version", "shadow"), permits_nothing),
    "signals": dict.fromkeys(
        (
            *("honour_do_not_track", "store_global_privacy_control", "store_industry_opt_out"),
            *("new_device_days", "new_devices_per_second"),
        ),
        lower_loosens,
    ),
    "gdpr": {
        "countries": removing_loosens,
        "host_vendor_id": may_loosen,
        "vendor_list": may_loosen,
        "also_required_purposes": removing_loosens,
    },
    "consent": {"explicit_opt_in_in": removing_loosens},
    "half_life_days": dict.fromkeys(("content", "purchase", "external", "destination"), higher_loosens),
    "features": {
        "max_interests": higher_loosens,
        "min_interest_score": lower_loosens,
        "max_call_destinations": higher_loosens,
        "max_exposures": higher_loosens,
        "postal_prefix_characters": higher_loosens,
    },
    "opt_out": {
        "on_opt_out": later_loosens("erase", "freeze"),
        "cookie_days": lower_loosens,
        "cookie_domain": may_loosen,
    },
    "retention": {"profile_days": higher_loosens},
    "masks": {"ipv4_bits": higher_loosens, "ipv6_bits": higher_loosens},
    "sharing": {
        "max_interests": higher_loosens,
        "score_steps": higher_loosens,
        "id_epoch": lower_loosens,
        "withheld_categories": removing_loosens,
    },
    "fingerprint": {"reduce_in_limited_mode": lower_loosens},
    "bid_request": {
        "source": permits_nothing,
        **dict.fromkeys(
            ("request_ext", "impression_ext", "user_ext", "device_ext", "object_ext", "parameters"), adding_loosens
        ),
    },
    "networks": {
        "id": permits_nothing,
        "name": permits_nothing,
        "first_party": higher_loosens,
        "tcf_vendor_id": may_loosen,
        "fields": adding_loosens,
        "user_id": higher_loosens,
        "buyeruid": higher_loosens,
        "precise_position": later_loosens("none", "coarse", "exact"),
        "full_ip": higher_loosens,
        "ipv4_bits": higher_loosens,
        "ipv6_bits": higher_loosens,
        "bidder": may_loosen,
        "parameters": adding_loosens,
    },
}
"""By table; ``children`` and ``rules`` are compared by what they amount to (``targeting.policy.comparison``)."""
