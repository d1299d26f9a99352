"""The current rulebook: the policy file, read at start and on reload, and replaced as a whole."""

from pathlib import Path

from server.metrics.metrics import Metrics
from server.policy.policy_file import load_policy
from server.policy.reloading import reload_policy
from targeting.decision import Rulebook
from targeting.policy.policy import DEFAULT_POLICY, Policy


def read_policy(path: str, *, may_be_empty: bool = True) -> Policy:
    """Return the policy of a file; an empty path is the built-in policy. Raises ``PolicyError``."""
    return load_policy(Path(path), may_be_empty=may_be_empty) if path else DEFAULT_POLICY


class CurrentPolicy:
    """Holds the current rulebook. A batch reads it once, so the whole batch is decided by one policy."""

    def __init__(self, path: str, policy: Policy, id_key: bytes, metrics: Metrics) -> None:
        """``path`` names the file, from which a reload takes the successor of ``policy``; see ``read_policy``."""
        self._path = path
        self._id_key = id_key
        self._metrics = metrics
        self.replace(policy)

    def __call__(self) -> Rulebook:
        """Return the current rulebook."""
        return self._rulebook

    def reload(self) -> bool:
        """Read the file again and return whether it was accepted.

        If not, as when it is empty, the current policy stays.
        """
        return reload_policy("policy", self._read_again)

    def shadow_path(self) -> Path | None:
        """Return the path of the policy in the shadow that the current policy names, from its own file."""
        name = self._rulebook.policy.shadow
        return Path(self._path).parent / name if name else None

    def replace(self, policy: Policy) -> None:
        """Replace the current policy."""
        self._metrics.use_policy(policy)
        self._rulebook = Rulebook(policy, self._id_key)

    def _read_again(self) -> Policy:
        # A file that is being written is empty for a moment.
        policy = read_policy(self._path, may_be_empty=False)
        self.replace(policy)
        return policy
