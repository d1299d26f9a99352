"""What goes wrong with a Redis, as errors of the port."""

import pytest
from redis import exceptions as redis_errors

from server.store.ports import StoreError, StoreTimeout, StoreUnavailable
from server.store.redis.errors import store_error

IN_SCRIPT = "Error running script (call to f_6b1b): @user_script:52: @user_script: 52: -{} of the command"


@pytest.mark.parametrize(
    ("problem", "kind", "text"),
    [
        (redis_errors.TimeoutError("reading from 10.0.0.1"), StoreTimeout, "did not answer in time"),
        (TimeoutError(), StoreTimeout, "did not answer in time"),
        (StoreTimeout("no time was left"), StoreTimeout, "no time was left"),
        (redis_errors.ConnectionError("10.0.0.1"), StoreUnavailable, "cannot be reached"),
        (ConnectionRefusedError(), StoreUnavailable, "cannot be reached"),
        (FileNotFoundError("/run/redis.sock"), StoreUnavailable, "cannot be reached"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "anne"), StoreUnavailable, "cannot be reached"),
        (redis_errors.InvalidResponse("anne"), StoreUnavailable, "cannot be reached"),
        (redis_errors.ResponseError("ERR wrong number of arguments: anne"), StoreUnavailable, "answers what"),
        (redis_errors.AuthenticationError("Invalid Username"), StoreUnavailable, "the user or the password"),
        (redis_errors.AuthenticationError("anne", status_code="WRONGPASS"), StoreUnavailable, "the user or the"),
        (redis_errors.AuthenticationError("anne", status_code="NOAUTH"), StoreUnavailable, "wants a password"),
        (redis_errors.NoPermissionError("anne", status_code="NOPERM"), StoreUnavailable, "lacks a permission"),
        (redis_errors.ReadOnlyError("anne", status_code="READONLY"), StoreUnavailable, "a read-only replica"),
        (redis_errors.BusyLoadingError("x", status_code="LOADING"), StoreUnavailable, "still loading its data"),
        (redis_errors.OutOfMemoryError("x", status_code="OOM"), StoreUnavailable, "out of memory"),
        (redis_errors.ClusterDownError("x", status_code="CLUSTERDOWN"), StoreUnavailable, "its cluster is down"),
        (redis_errors.ResponseError("MISCONF Redis is configured to"), StoreUnavailable, "write to its disk"),
        (redis_errors.ResponseError("NOREPLICAS Not enough good"), StoreUnavailable, "too few replicas"),
        (redis_errors.ResponseError(IN_SCRIPT.format("OOM")), StoreUnavailable, "out of memory"),
        (redis_errors.ResponseError(IN_SCRIPT.format("READONLY")), StoreUnavailable, "a read-only replica"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, BaseException) else "",
)
def test_every_problem_has_its_error(problem: Exception, kind: type[StoreError], text: str) -> None:
    error = store_error(problem)
    assert type(error) is kind
    assert text in str(error)
    assert "anne" not in str(error)
    assert "10.0.0.1" not in str(error)
