"""The current rulebook: the policy file, read at start and on reload, and replaced as a whole."""

from pathlib import Path

from server.metrics.metrics import Metrics
from server.policy.policy_file import load_policy
from server.policy.reloading import reload_policy
from targeting.decision import Rulebook
from targeting.policy.policy import DEFAULT_POLICY, Policy


class CurrentPolicy:
    """Holds the current rulebook. A batch reads it once, so the whole batch is decided by one policy."""

    def __init__(self, path: str, id_key: bytes, metrics: Metrics) -> None:
        """``path`` names the file; empty: the built-in policy. Raises ``PolicyError``."""
        self._path = path
        self._id_key = id_key
        self._metrics = metrics
        self._read(may_be_empty=True)

    def __call__(self) -> Rulebook:
        """Return the current rulebook."""
        return self._rulebook

    def reload(self) -> bool:
        """Read the file again and return whether it was accepted.

        If not, as when it is empty, the current policy stays.
        """
        # A file that is being written is empty for a moment.
        return reload_policy("policy", lambda: self._read(may_be_empty=False))

    def shadow_path(self) -> Path | None:
        """Return the path of the policy in the shadow that the current policy names, from its own file."""
        name = self._rulebook.policy.shadow
        return Path(self._path).parent / name if name else None

    def replace(self, policy: Policy) -> None:
        """Replace the current policy."""
        self._metrics.use_policy(policy)
        self._rulebook = Rulebook(policy, self._id_key)

    def _read(self, *, may_be_empty: bool) -> Policy:
        policy = load_policy(Path(self._path), may_be_empty=may_be_empty) if self._path else DEFAULT_POLICY
        self.replace(policy)
        return policy
