"""Failures of a Redis server as errors of the store's port: one function, one table.

The texts of Redis and of the operating system stop here, because they may quote the arguments of a command.
"""

import re
import socket
import ssl

from server.store.ports import StoreError, StoreTimeout, StoreUnavailable, StoreUnreachable

_REFUSALS = {
    "READONLY": "it is a read-only replica",
    "LOADING": "it is still loading its data",
    "OOM": "it is out of memory",
    "NOAUTH": "it requires a password",
    "WRONGPASS": "it refuses the user or the password",
    "NOPERM": "its user lacks a permission",
    "MISCONF": "it cannot write to its disk",
    "NOREPLICAS": "it has too few replicas",
    "MASTERDOWN": "it is a replica without its primary",
    "CLUSTERDOWN": "its cluster is down",
    "MOVED": "it is a cluster node; use redis+cluster://",
    "ASK": "it is a cluster node; use redis+cluster://",
    "CROSSSLOT": "it is a cluster node; use redis+cluster://",
    "TRYAGAIN": "its cluster is being resharded",
    "NOSCRIPT": "it loses its scripts",
    "BUSY": "it is busy with a script",
}
_CODE = re.compile(rf"\b({'|'.join(_REFUSALS)})\b")
_UNKNOWN_COMMAND = "unknown command"
_BAD_CREDENTIALS = re.compile(r"invalid password|without any password configured")
"""How servers before Redis 6 refuse AUTH; later ones have a code for it."""

_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its TLS certificate is not trusted, has expired or is for another name"),
    (ssl.SSLError, "the TLS handshake failed"),
    (socket.gaierror, "its host name cannot be resolved"),
    (ConnectionRefusedError, "the connection was refused"),
    (FileNotFoundError, "its socket or a TLS file does not exist"),
    (PermissionError, "no permission to open its socket or a TLS file"),
    (ConnectionError, "the connection was closed"),
    (EOFError, "the connection was closed"),
    (ValueError, "it does not speak the Redis protocol"),
)
"""The first kind that fits names the cause."""


_NOT_PRIMARY = frozenset({"READONLY", "MASTERDOWN"})


class NotPrimary(StoreUnavailable):
    """The server is not, or no longer, a primary: it may lack choices that the primary has acknowledged."""


class ErrorReply(Exception):
    """An error reply of the server, as the protocol carries it. It is a value in a list of replies."""


def store_error(problem: BaseException) -> StoreError:
    """Return the port's error for anything that a connection, a reply or the operating system raised."""
    if isinstance(problem, StoreError):
        return problem
    if isinstance(problem, ErrorReply):
        return _refused(str(problem))
    if isinstance(problem, TimeoutError):
        return StoreTimeout("the store did not answer in time")
    return StoreUnreachable(f"the store cannot be reached: {_cause(problem)}")


def no_redis() -> StoreUnreachable:
    """Return the error for a reply of another form than the command has: what answers so is no Redis."""
    return StoreUnreachable(f"the store cannot be reached: {_cause(ValueError())}")


def is_refusal(reply: object, code: str) -> bool:
    """Whether a reply is the error of this code, also where Redis before version 7 wraps it as a script's error."""
    return isinstance(reply, ErrorReply) and re.search(rf"\b{code}\b", str(reply)) is not None


def _refused(text: str) -> StoreUnavailable:
    found = _CODE.search(text)
    code = found[1] if found else "WRONGPASS" if _BAD_CREDENTIALS.search(text) else ""
    kind = NotPrimary if code in _NOT_PRIMARY else StoreUnavailable
    if not code and _UNKNOWN_COMMAND in text.lower():
        return StoreUnavailable("the store refuses: it lacks a command that is needed; it is a Sentinel, or too old")
    return kind(f"the store refuses: {_REFUSALS.get(code, 'it answers with an error')}")


def _cause(problem: BaseException) -> str:
    """Name the cause of a failed connection, in words of our own."""
    return next((cause for kind, cause in _CAUSES if isinstance(problem, kind)), "the connection failed")
