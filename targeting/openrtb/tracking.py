"""What amounts to Limit Ad Tracking in a ``device``, besides its flag: an advertising id of zeros, Apple's signals.

An app that may not have the advertising id receives one of zeros (iOS since 10, Android since 2021, tvOS, Fire OS).
Invariant: nothing here lifts a limit.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from targeting.subjects.identifiers import is_placeholder, is_zeros

_AUTHORISED: Final = 3
"""``device.ext.atts``: 0 is undetermined, 1 restricted, 2 denied."""
_FROM_ATTS: Final = (14, 2)
_BEFORE_ATTS: Final = frozenset({(14, 0), (14, 1)})
_APPLE: Final = ("ios", "ipados", "iphone", "tvos")
# "14.1", "14_1_2", "iOS 14.0", "iPhone OS 14_0", "14.0b1"
_VERSION: Final = re.compile(
    r"(?:(?:iphone os|ios|ipados|tvos)\s*)?(\d{1,4})(?:[._](\d{1,4}))?(?:[._]\d{1,4})*(?:\s?[a-z]+\d*)?", re.ASCII
)


def limits_tracking(device: Mapping[str, Any], status: int | None, *, in_app: bool) -> bool:
    """Whether an id of zeros or Apple's signals limit tracking.

    ``device`` holds the valid ones of ``ifa``, ``os`` and ``osv``; ``status`` is that of App Tracking Transparency.
    """
    advertising_id = device.get("ifa", "").strip()
    if is_zeros(advertising_id):
        return True
    is_apple = in_app and device.get("os", "").strip().lower().startswith(_APPLE)
    is_limited = status is not None and status != _AUTHORISED
    version = _version(device.get("osv", "")) if is_apple or is_limited else None
    if is_limited and not (version and version < _FROM_ATTS):
        return True
    # An unreadable version may be either.
    return is_apple and is_placeholder(advertising_id) and (version is None or version in _BEFORE_ATTS)


def _version(text: str) -> tuple[int, int] | None:
    match = _VERSION.fullmatch(text.strip().lower())
    return (int(match[1]), int(match[2] or 0)) if match else None
