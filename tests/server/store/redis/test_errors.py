"""Failures of a Redis as errors of the port."""

import socket
import ssl

import pytest

from server.store.ports import StoreError, StoreTimeout, StoreUnavailable, StoreUnreachable
from server.store.redis.errors import ErrorReply, NotPrimary, store_error

IN_SCRIPT = "ERR Error running script (call to f_6b1b): @user_script:52: @user_script: 52: -{} of the command"


@pytest.mark.parametrize(
    ("problem", "kind", "text"),
    [
        (TimeoutError(), StoreTimeout, "did not answer in time"),
        (StoreTimeout("no time was left"), StoreTimeout, "no time was left"),
        (ConnectionRefusedError(), StoreUnreachable, "the connection was refused"),
        (ConnectionResetError("10.0.0.1"), StoreUnreachable, "the connection was closed"),
        (EOFError(), StoreUnreachable, "the connection was closed"),
        (FileNotFoundError("/run/redis.sock"), StoreUnreachable, "does not exist"),
        (PermissionError("/run/redis.sock"), StoreUnreachable, "no permission to open"),
        (socket.gaierror("anne.example"), StoreUnreachable, "host name cannot be resolved"),
        (ssl.SSLCertVerificationError("anne.example"), StoreUnreachable, "not trusted, has expired or is for another"),
        (ssl.SSLError("10.0.0.1"), StoreUnreachable, "the TLS handshake failed"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "anne"), StoreUnreachable, "does not speak the Redis protocol"),
        (RuntimeError("anne"), StoreUnreachable, "the connection failed"),
        (ErrorReply("ERR wrong number of arguments: anne"), StoreUnavailable, "answers with an error"),
        (ErrorReply("ERR invalid password"), StoreUnavailable, "the user or the password"),
        (ErrorReply("WRONGPASS anne"), StoreUnavailable, "the user or the"),
        (ErrorReply("NOAUTH anne"), StoreUnavailable, "requires a password"),
        (ErrorReply("NOPERM anne"), StoreUnavailable, "lacks a permission"),
        (ErrorReply("READONLY anne"), NotPrimary, "a read-only replica"),
        (ErrorReply("LOADING x"), StoreUnavailable, "still loading its data"),
        (ErrorReply("OOM x"), StoreUnavailable, "out of memory"),
        (ErrorReply("CLUSTERDOWN x"), StoreUnavailable, "its cluster is down"),
        (ErrorReply("MOVED 3999 10.0.0.1:6381"), StoreUnavailable, "redis+cluster://"),
        (ErrorReply("MISCONF Redis is configured to"), StoreUnavailable, "write to its disk"),
        (ErrorReply("NOREPLICAS Not enough good"), StoreUnavailable, "too few replicas"),
        (ErrorReply(IN_SCRIPT.format("OOM")), StoreUnavailable, "out of memory"),
        (ErrorReply("MASTERDOWN anne"), NotPrimary, "a replica without its primary"),
        (ErrorReply(IN_SCRIPT.format("READONLY")), NotPrimary, "a read-only replica"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, BaseException) else "",
)
def test_every_problem_has_its_error(problem: Exception, kind: type[StoreError], text: str) -> None:
    error = store_error(problem)
    assert type(error) is kind
    assert text in str(error)
    assert "anne" not in str(error)
    assert "10.0.0.1" not in str(error)
