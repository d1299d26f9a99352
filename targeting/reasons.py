"""Why a decision is limited: one enumeration, used as metric label, log field and proto value.

The order is the order in which reasons are reported. The numbers are those of ``adtargeting.v1.Reason``.
A set of reasons travels as a bit mask, so that adding one costs an ``or``.
"""

from enum import IntEnum
from functools import lru_cache


class Reason(IntEnum):
    """One reason, in the order of reporting."""

    CHILD_DIRECTED = 1
    APP_OPT_OUT = 2
    COOKIE_OPT_OUT = 3
    INDUSTRY_OPT_OUT = 4
    GLOBAL_PRIVACY_CONTROL = 5
    DO_NOT_TRACK = 6
    LIMIT_AD_TRACKING = 7
    TCF_NO_CONSENT = 8
    GPP_OPT_OUT = 9
    US_PRIVACY_OPT_OUT = 10
    SIGNAL_UNREADABLE = 11
    ACCOUNT_OPT_OUT = 12
    DEVICE_OPT_OUT = 13
    UNDER_AGE = 14
    PREFERENCE_LOST = 15
    RECORD_UNREADABLE = 16
    STORE_TIMEOUT = 17
    STORE_UNAVAILABLE = 18
    NO_PROFILE = 19
    NO_SUBJECT = 20
    NETWORK_UNKNOWN = 21
    NETWORK_POLICY = 22

    @property
    def bit(self) -> int:
        """The reason as a member of a mask."""
        return 1 << self


@lru_cache(maxsize=4096)
def reasons_in(mask: int) -> tuple[Reason, ...]:
    """The reasons of a mask, in the order of reporting."""
    return tuple(reason for reason in Reason if mask & reason.bit)


def mask_of(*reasons: Reason) -> int:
    """The mask that holds exactly these reasons."""
    mask = 0
    for reason in reasons:
        mask |= reason.bit
    return mask
