"""The store's password is rotated: people are limited until the new one is in its file, and no restart is needed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.known_person import known_person
from tests.faults.redis_process import RedisProcess
from tests.server.running_service import wait_until

USER = b"service"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path / "redis") as process:
        yield process


def rotate(redis: RedisProcess, password: bytes) -> None:
    """Let the user in with this password alone, and end its connections, as most operators do."""
    redis.ask(b"ACL", b"SETUSER", USER, b"on", b"resetpass", b">" + password, b"~*", b"&*", b"+@all")
    redis.ask(b"CLIENT", b"KILL", b"USER", USER)


@pytest.mark.fault(row=21)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_a_rotated_password_is_taken_up_in_service(tmp_path: Path, redis: RedisProcess, protected: bool) -> None:
    """Unprotected, the password is part of the URL, which is read once."""
    file = tmp_path / "password"
    file.write_text("first", encoding="ascii")
    rotate(redis, b"first")
    address = f"{USER.decode()}{'' if protected else ':first'}@127.0.0.1:{redis.port}/0"
    more = {"redis_password_file": str(file)} if protected else {}
    with known_person(tmp_path, redis_url=f"redis://{address}", **more) as alice:
        rotate(redis, b"second")
        wait_until(lambda: not alice.is_behavioural())
        file.write_text("second", encoding="ascii")
        if protected:
            wait_until(alice.is_behavioural)
        else:
            assert not any(alice.is_behavioural() for _ in range(200))
