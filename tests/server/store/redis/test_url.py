"""URLs of a Redis."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.store.redis.url import RedisAddress, RedisUrlError, TlsOptions, parse_redis_url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://cache", RedisAddress(host="cache")),
        ("redis://cache:6380/3", RedisAddress(host="cache", port=6380, database=3)),
        ("redis://cache/", RedisAddress(host="cache")),
        ("redis://[::1]:7000", RedisAddress(host="::1", port=7000)),
        ("redis://:p%40ss@cache", RedisAddress(host="cache", password="p@ss")),
        ("redis://us%3Aer:p%2Fss@cache", RedisAddress(host="cache", username="us:er", password="p/ss")),
        ("rediss://cache", RedisAddress(host="cache", tls=TlsOptions())),
        (
            "rediss://cache?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=false",
            RedisAddress(host="cache", tls=TlsOptions(ca_certs="/etc/ca.pem", check_hostname=False)),
        ),
        ("unix:///run/redis.sock", RedisAddress(path="/run/redis.sock")),
        ("unix:///run/my%20redis.sock?db=2", RedisAddress(path="/run/my redis.sock", database=2)),
        ("unix://:secret@/run/r.sock", RedisAddress(path="/run/r.sock", password="secret")),
    ],
)
def test_what_is_understood(url: str, address: RedisAddress) -> None:
    assert parse_redis_url(url) == address


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "unknown scheme; use redis://, rediss://, unix://"),
        ("cache:6379", "unknown scheme"),
        ("http://cache", "unknown scheme"),
        ("redis+cluster://a", "unknown scheme"),
        ("redis://", "has no host; write redis://host:port/database"),
        ("rediss://:6379", "has no host"),
        ("redis://cache:port", "host and port cannot be read"),
        ("redis://cache:70000", "host and port cannot be read"),
        ("redis://[::1", "host and port cannot be read"),
        ("redis://:pass#word@cache", "percent-encode special characters"),
        ("redis://cache/0#x", "contains '#'"),
        ("redis://cache/people", "the database must be a number"),
        ("redis://cache/0/1", "the database must be a number"),
        ("redis://cache/-1", "the database must be a number"),
        ("redis://cache/²", "the database must be a number"),
        ("redis://cache?timeout=5", "unknown option; redis:// takes none"),
        ("rediss://cache?ssl_cert_reqs=none", "rediss:// takes ssl_ca_certs, ssl_certfile, ssl_keyfile"),
        ("rediss://cache?ssl_check_hostname=no", "ssl_check_hostname must be true or false"),
        ("unix://", "has no socket; write unix:///path/to/socket"),
        ("unix:///", "has no socket"),
        ("unix:///run/%00", "has no socket"),
        ("unix://run/redis.sock", "unix:// takes no host"),
    ],
)
def test_what_is_refused_and_why(url: str, problem: str) -> None:
    with pytest.raises(RedisUrlError, match=f"^ADTARGETING_REDIS_URL: .*{problem}"):
        parse_redis_url(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://anne:hush@cache:6380/3", "redis://cache:6380/3"),
        ("rediss://:hush@[::1]?ssl_keyfile=hush", "rediss://[::1]:6379/0"),
        ("unix://:hush@/run/r.sock?db=1", "unix:///run/r.sock"),
    ],
)
def test_nothing_secret_is_shown(url: str, shown: str) -> None:
    address = parse_redis_url(url)
    assert str(address) == shown
    assert "hush" not in repr(address) + str(address)
    assert "anne" not in repr(address) + str(address)


def refusal(url: str) -> str:
    try:
        parse_redis_url(url)
    except RedisUrlError as problem:
        return str(problem)
    return ""


@given(
    st.text(min_size=12, max_size=40),
    st.sampled_from(["", "redis://", "rediss://", "unix://", "redis://:", "redis://h?"]),
)
def test_anything_else_is_refused_without_repeating_it(text: str, start: str) -> None:
    # A part of what is always said, such as "redis+sentinel", is no repetition.
    assume(text not in refusal("ftp://host"))
    assert text not in refusal(start + text)
