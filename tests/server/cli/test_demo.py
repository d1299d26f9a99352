"""``demo``: a guided tour that leaves nothing behind, however it ends."""

import contextlib
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.cli.conftest import WIDTH, Adt, started

SCENES = (
    "1. A person with a profile",
    "BEHAVIOURAL all stored data about this person may be used",
    "2. The same person opts out",
    "ACCOUNT_OPT_OUT: the account or a linked account is opted out",
    "3. What the ad network “partner” receives",
    "4. Three other people",
    "5. The store fails",
    "STORE_UNAVAILABLE: the store is down",
    "6. Why was a decision limited?",
)


def rows(lines: list[str]) -> dict[str, str]:
    """Return the rows of tables by their first column."""
    pairs = (line.strip().split("   ", 1) for line in lines if "   " in line.strip())
    return {name.strip(): rest.strip() for name, rest in pairs}


def processes_about(directory: Path) -> list[bytes]:
    """Return the command lines of running processes that name a directory."""
    running = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        # A process may end while one looks.
        with contextlib.suppress(OSError):
            running.append(path.read_bytes())
    return [each for each in running if str(directory).encode() in each]


def threads() -> set[threading.Thread]:
    """Return the running threads, except the one that grpc keeps in a process that has served."""
    return {each for each in threading.enumerate() if "_poll_wrapper" not in each.name}


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The parent of the demo's temporary directory: a short path, because it holds a socket."""
    with tempfile.TemporaryDirectory(prefix="adt-", dir="/tmp") as place:
        monkeypatch.setattr(tempfile, "tempdir", place)
        yield Path(place)


def test_the_story_is_told_from_beginning_to_end(adt: Adt, directory: Path) -> None:
    before = threads()
    ended = adt("demo")
    assert (ended.status, ended.err) == (0, "")
    positions = [ended.lines.index(next(line for line in ended.lines if scene in line)) for scene in SCENES]
    assert positions == sorted(positions)
    told = rows(ended.lines)
    network = rows(ended.lines[positions[4] : positions[5]])
    assert network["profile"].split() == ["yes", "no"]
    assert told["a child"].split() == ["LIMITED", "UNDER_AGE"]
    assert told["no profile"].split() == ["LIMITED", "NO_PROFILE"]
    assert told["in the EEA, without consent"].split() == ["LIMITED", "TCF_NO_CONSENT"]
    assert any("opted out" in line and "ACCOUNT_OPT_OUT" in line for line in ended.lines[positions[-1] :])
    assert max(map(len, ended.lines)) <= WIDTH
    assert "\x1b" not in ended.out
    assert not list(directory.iterdir())
    assert not processes_about(directory)
    assert threads() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_story_leaves_nothing(directory: Path, number: signal.Signals) -> None:
    with started("demo", TMPDIR=str(directory)) as demo:
        assert demo.stdout
        while "A service is running" not in (line := demo.stdout.readline()):
            assert line, "it ended early"
        demo.send_signal(number)
        _, errors = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert "Traceback" not in errors
    assert not list(directory.iterdir())
    assert not processes_about(directory)


def test_a_long_way_to_temporary_files_changes_nothing(
    adt: Adt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    ended = adt("demo")
    assert ended.status == 0
    assert "ACCOUNT_OPT_OUT" in ended.out.split("6. Why was a decision limited?")[1]
