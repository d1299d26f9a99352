"""A file of lines: whole lines by several processes, and every way in which a file can fail."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.files.line_file import LineFile

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from pathlib import Path
from server.files.line_file import LineFile
file = LineFile(Path(sys.argv[1]))
for number in range(500):
    file.append(f"{sys.argv[2]} {number} ".encode() + sys.argv[2].encode() * 300 + b"\\n")
"""


@contextmanager
def limited_to(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: a write is cut off there, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


@pytest.fixture
def file(path: Path) -> Iterator[LineFile]:
    opened = LineFile(path)
    yield opened
    opened.close()


def test_lines_are_appended_to_a_file_of_its_user_alone(file: LineFile, path: Path) -> None:
    file.append(b"one\n")
    file.append(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_there_stays(path: Path) -> None:
    path.write_bytes(b"before\n")
    opened = LineFile(path)
    opened.append(b"after\n")
    opened.close()
    assert path.read_bytes() == b"before\nafter\n"


def test_a_line_that_is_cut_off_is_an_error_and_the_next_begins_a_line_of_its_own(file: LineFile, path: Path) -> None:
    file.append(b"one\n")
    with limited_to(8), pytest.raises(OSError, match="in part"):
        file.append(b"cut off\n")
    with limited_to(8), pytest.raises(OSError, match="too large"):
        file.append(b"nothing of it\n")
    file.append(b"three\n")
    assert path.read_bytes() == b"one\ncut \nthree\n"


def test_a_torn_line_of_another_process_takes_none_with_it_that_failed_too(file: LineFile, path: Path) -> None:
    other = LineFile(path)
    for full in (file, other):
        with limited_to(3), pytest.raises(OSError, match=r"in part|too large"):
            full.append(b"torn\n")
    other.append(b"whole\n")
    other.close()
    assert path.read_bytes() == b"tor\nwhole\n"


def test_a_file_that_was_moved_away_is_written_until_it_is_opened_again(file: LineFile, path: Path) -> None:
    moved = path.with_suffix(".1")
    path.rename(moved)
    file.append(b"before\n")
    file.reopen()
    file.append(b"after\n")
    assert (moved.read_bytes(), path.read_bytes()) == (b"before\n", b"after\n")


def test_a_file_that_was_emptied_goes_on(file: LineFile, path: Path) -> None:
    file.append(b"before\n")
    os.truncate(path, 0)
    file.append(b"after\n")
    assert path.read_bytes() == b"after\n"


def test_a_file_that_was_removed_is_made_again(file: LineFile, path: Path) -> None:
    path.unlink()
    file.append(b"after\n")
    assert path.read_bytes() == b"after\n"


def test_a_directory_that_was_removed_is_an_error_until_it_is_back(tmp_path: Path) -> None:
    directory = tmp_path / "logs"
    directory.mkdir()
    file = LineFile(directory / "audit.log")
    (directory / "audit.log").unlink()
    directory.rmdir()
    with pytest.raises(FileNotFoundError):
        file.append(b"lost\n")
    directory.mkdir()
    file.append(b"back\n")
    assert (directory / "audit.log").read_bytes() == b"back\n"
    file.close()


@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "missing directory"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = {"device": Path("/dev/null"), "missing directory": tmp_path / "none" / "audit.log"}.get(kind, tmp_path / "x")
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    with pytest.raises(OSError):  # noqa: PT011  # which one differs by kind and system
        LineFile(path)


def test_lines_of_several_processes_never_mix(path: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], env=environment, cwd=ROOT) for name in "abc"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    lines = path.read_text().splitlines()
    assert len(lines) == 1500
    for name in "abc":
        assert [line for line in lines if line[0] == name] == [f"{name} {n} {name * 300}" for n in range(500)]


def test_a_file_that_others_can_read_is_closed_to_them(path: Path) -> None:
    path.write_bytes(b"")
    path.chmod(0o644)
    LineFile(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
