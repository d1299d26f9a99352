"""What goes wrong with a Redis, as errors of the store's port: one function, one table.

Texts of Redis and of the operating system never get further than here: they may quote a command's arguments.
"""

import re

from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from server.store.ports import StoreError, StoreTimeout, StoreUnavailable

_REFUSALS = {
    "READONLY": "it is a read-only replica",
    "LOADING": "it is still loading its data",
    "OOM": "it is out of memory",
    "NOAUTH": "it wants a password",
    "WRONGPASS": "it refuses the user or the password",
    "NOPERM": "its user lacks a permission",
    "MISCONF": "it cannot write to its disk",
    "NOREPLICAS": "it has too few replicas",
    "MASTERDOWN": "it is a replica without its primary",
    "CLUSTERDOWN": "its cluster is down",
    "MOVED": "it is a node of a cluster, which needs another URL",
    "ASK": "it is a node of a cluster, which needs another URL",
    "CROSSSLOT": "it is a node of a cluster, which needs another URL",
    "TRYAGAIN": "its cluster is being resharded",
    "NOSCRIPT": "it loses its scripts",
    "BUSY": "it is busy with a script",
}
_CODE = re.compile(rf"\b({'|'.join(_REFUSALS)})\b")


def store_error(problem: BaseException) -> StoreError:
    """Give the port's error for anything that redis-py or the operating system raised."""
    if isinstance(problem, StoreError):
        return problem
    if isinstance(problem, RedisTimeoutError | TimeoutError):
        return StoreTimeout("the store did not answer in time")
    # Redis before version 7 wraps the error of a command inside a script into a text of its own.
    text = f"{getattr(problem, 'status_code', None) or ''} {problem}" if isinstance(problem, RedisError) else ""
    if found := _CODE.search(text):
        return StoreUnavailable(f"the store refuses: {_REFUSALS[found[1]]}")
    if isinstance(problem, AuthenticationError):
        return StoreUnavailable(f"the store refuses: {_REFUSALS['WRONGPASS']}")
    return StoreUnavailable("the store cannot be reached, or answers what it should not")
