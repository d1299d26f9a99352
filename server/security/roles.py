"""The roles of clients: what each may call. A client has the roles that the clients file gives it, and no other."""

from enum import Enum


class Role(Enum):
    """One role, as the clients file and the metrics name it."""

    DECIDE = "decide"
    """Decide, DecideBatch and PrepareBidRequest."""
    EXPLAIN = "explain"
    PREFERENCES = "preferences"
    """PreferenceService."""
    PROFILES = "profiles"
    """ProfileService."""
    INSPECT = "inspect"
    """The inspector page."""
    METRICS = "metrics"
    """``/metrics`` outside the loopback."""
