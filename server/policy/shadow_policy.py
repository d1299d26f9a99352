"""The policy in the shadow: read as the policy in force is, refused as it is, and replaced as a whole."""

import logging
from pathlib import Path

from server.errors import note
from server.metrics.metrics import Metrics
from server.policy.current_policy import CurrentPolicy
from server.policy.policy_file import load_policy
from targeting.policy.policy import Policy, PolicyError

_LOG = logging.getLogger(__name__)


class ShadowPolicy:
    """Holds the policy in the shadow, or None without one."""

    def __init__(self, path: str, rules: CurrentPolicy, metrics: Metrics) -> None:
        """``path`` names its file; empty: the policy in force may name one. Raises ``PolicyError``."""
        self._path = path
        self._rules = rules
        self._metrics = metrics
        self._policy = self._read(may_be_empty=True)

    def __call__(self) -> Policy | None:
        """Return the policy."""
        return self._policy

    def reload(self) -> bool:
        """Read the file again and return whether it was accepted; if not, the policy in the shadow stays."""
        try:
            self._policy = self._read(may_be_empty=False)
        except PolicyError as problem:
            _LOG.error("reload of the shadow policy refused, keeping the current one: %s", problem)
            return False
        except Exception as problem:  # noqa: BLE001  # an unforeseen fault in a reload must not end the service
            _LOG.error("reload of the shadow policy refused, keeping the current one: internal error %s", note(problem))
            return False
        if self._policy is not None:
            _LOG.info("shadow policy loaded: version %s", self._policy.version)
        return True

    def _read(self, *, may_be_empty: bool) -> Policy | None:
        path = Path(self._path) if self._path else self._rules.shadow_path()
        policy = load_policy(path, may_be_empty=may_be_empty) if path is not None else None
        self._metrics.shadow.use_policy(policy)
        return policy
