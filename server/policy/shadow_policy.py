"""The policy in the shadow: read as the policy in force is, refused as it is, and replaced as a whole."""

from pathlib import Path

from server.metrics.metrics import Metrics
from server.policy.current_policy import CurrentPolicy
from server.policy.policy_file import load_policy
from server.policy.reloading import reload_policy
from targeting.policy.policy import Policy


class ShadowPolicy:
    """Holds the policy in the shadow, or None without one."""

    def __init__(self, path: str, rules: CurrentPolicy, metrics: Metrics) -> None:
        """``path`` names its file; empty: the policy in force may name one. Raises ``PolicyError``."""
        self._path = path
        self._rules = rules
        self._metrics = metrics
        self._read(may_be_empty=True)

    def __call__(self) -> Policy | None:
        """Return the policy."""
        return self._policy

    def reload(self) -> bool:
        """Read the file again and return whether it was accepted; if not, the policy in the shadow stays."""
        return reload_policy("shadow policy", lambda: self._read(may_be_empty=False))

    def _read(self, *, may_be_empty: bool) -> Policy | None:
        path = Path(self._path) if self._path else self._rules.shadow_path()
        self._policy = load_policy(path, may_be_empty=may_be_empty) if path is not None else None
        self._metrics.shadow.use_policy(self._policy)
        return self._policy
