"""The exit status of each failure: one table; every failure is one line on standard error."""

from server.geo.country_table import GeoDatabaseError
from server.processes.supervisor import WorkersFailed
from server.settings import SettingsError
from server.store.embedded.binary import EmbeddedStoreError
from server.store.ports import StoreError
from server.store.redis.url import RedisUrlError
from targeting.policy.policy import PolicyError

OK, REFUSED, USAGE_ERROR, INTERRUPTED = 0, 1, 2, 130


class Refused(Exception):
    """The service refused the call or does not answer."""


class UsageError(Exception):
    """The command line, or a file named by it, is invalid."""


EXIT_STATUS: dict[type[Exception], int] = {
    Refused: REFUSED,
    StoreError: REFUSED,
    UsageError: USAGE_ERROR,
    SettingsError: USAGE_ERROR,
    PolicyError: USAGE_ERROR,
    RedisUrlError: USAGE_ERROR,
    EmbeddedStoreError: USAGE_ERROR,
    WorkersFailed: USAGE_ERROR,
    GeoDatabaseError: USAGE_ERROR,
}
_USAGE_ERRORS_BY_NAME = {"NapKeyError"}
"""By name, because importing their module costs several MiB."""


def exit_status(problem: Exception) -> int | None:
    """Return the exit status of a failure; None for an unexpected exception, which is a bug."""
    if type(problem).__name__ in _USAGE_ERRORS_BY_NAME:
        return USAGE_ERROR
    return next((status for kind, status in EXIT_STATUS.items() if isinstance(problem, kind)), None)
