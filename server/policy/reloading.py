"""Reloads of a policy file: refused as a whole or accepted as a whole, and logged either way.

Invariant: no reload raises. Knows neither what the policy is for nor where it is kept.
"""

import logging
from collections.abc import Callable

from server.errors import note
from targeting.policy.policy import Policy, PolicyError

_LOG = logging.getLogger(__name__)


def reload_policy(name: str, read: Callable[[], Policy | None]) -> bool:
    """Call ``read``, which replaces the policy of this name, and return whether it did; if not, the log says why.

    ``read`` returns the policy, or None where there is no file, and raises before it replaces anything.
    """
    try:
        policy = read()
    except PolicyError as problem:
        _LOG.error("%s reload refused, keeping the current one: %s", name, problem)
        return False
    except Exception as problem:  # noqa: BLE001  # an unforeseen fault in a reload must not end the service
        _LOG.error("%s reload refused, keeping the current one: internal error %s", name, note(problem))
        return False
    if policy is not None:
        _LOG.info("%s loaded: version %s", name, policy.version)
    return True
