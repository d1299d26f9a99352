"""The rulebook in force: the policy file, read at start and again on request, and swapped as a whole."""

import logging
from pathlib import Path

from server.errors import note
from server.metrics.metrics import Metrics
from server.policy.policy_file import load_policy
from targeting.decision import Rulebook
from targeting.policy.policy import DEFAULT_POLICY, Policy, PolicyError

_LOG = logging.getLogger(__name__)


class CurrentPolicy:
    """Gives the rulebook. Reading it is one attribute look-up, so a batch is decided by one policy throughout."""

    def __init__(self, path: str, id_key: bytes, metrics: Metrics) -> None:
        self._path = path
        self._id_key = id_key
        self._metrics = metrics
        self._rulebook = self._read()

    def __call__(self) -> Rulebook:
        """Give the rulebook in force."""
        return self._rulebook

    def reload(self) -> bool:
        """Read the file again; an invalid one is refused whole, and the policy in force stays."""
        try:
            self._rulebook = self._read()
        except PolicyError as problem:
            _LOG.error("policy refused, the one in force stays: %s", problem)
            return False
        except Exception as problem:  # noqa: BLE001  # a policy that nobody foresaw must not end the service
            _LOG.error("policy refused, the one in force stays: internal error %s", note(problem))
            return False
        _LOG.info("policy in force: version %s", self._rulebook.policy.version)
        return True

    def replace(self, policy: Policy) -> None:
        """Put another policy in force."""
        self._metrics.use_policy(policy)
        self._rulebook = Rulebook(policy, self._id_key)

    def _read(self) -> Rulebook:
        policy = load_policy(Path(self._path)) if self._path else DEFAULT_POLICY
        self._metrics.use_policy(policy)
        return Rulebook(policy, self._id_key)
