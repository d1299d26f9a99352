"""How a command ends badly: which exception is which exit status. One table, one line each on standard error."""

from server.gate.port import GateError
from server.geo.country_table import GeoDatabaseError
from server.settings import SettingsError
from server.store.embedded.binary import EmbeddedStoreError
from server.store.ports import StoreError
from server.store.redis.url import RedisUrlError
from targeting.policy.policy import PolicyError

OK, REFUSED, MISUSED, INTERRUPTED = 0, 1, 2, 130


class Refused(Exception):
    """What was asked for was not done: the service refused it, or does not answer."""


class Misused(Exception):
    """The command line, or a file it names, cannot be used."""


EXIT_STATUS: dict[type[Exception], int] = {
    Refused: REFUSED,
    StoreError: REFUSED,
    Misused: MISUSED,
    SettingsError: MISUSED,
    PolicyError: MISUSED,
    RedisUrlError: MISUSED,
    EmbeddedStoreError: MISUSED,
    GateError: MISUSED,
    GeoDatabaseError: MISUSED,
}
_MISUSED_BY_NAME = {"NapKeyError"}
"""Of a module whose import takes several MiB, which only those pay who use it."""


def exit_status(problem: Exception) -> int | None:
    """Give the exit status of a failure; None for one that nobody foresaw, which is a fault of ours."""
    if type(problem).__name__ in _MISUSED_BY_NAME:
        return MISUSED
    return next((status for kind, status in EXIT_STATUS.items() if isinstance(problem, kind)), None)
