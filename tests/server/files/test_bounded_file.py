"""Reading a small file: every kind of file ends in time, with its content or an error that says why not."""

import errno
import os
import threading
from pathlib import Path

import pytest

from server.files.bounded_file import read_bounded


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 100], ids=["empty", "one", "the-limit"])
def test_a_file_within_the_limit_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_bounded(tmp_path / "file", 100) == content


def test_a_pipe_with_a_writer_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"content",))
    writer.start()
    assert read_bounded(pipe, 100) == b"content"
    writer.join()


def refused(path: Path, timeout_s: float = 5.0) -> OSError:
    with pytest.raises(OSError, match=r".") as caught:
        read_bounded(path, 100, timeout_s)
    assert caught.value.strerror
    return caught.value


def test_a_pipe_without_a_writer_is_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    error = refused(tmp_path / "pipe", 0.05)
    assert (error.errno, error.strerror) == (errno.ETIMEDOUT, "no end of the file within 0.05 s")


@pytest.mark.parametrize("path", ["large", "/dev/zero"])
def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path, path: str) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    error = refused(tmp_path / path)
    assert (error.errno, error.strerror) == (errno.EFBIG, "larger than 100 bytes")


@pytest.mark.parametrize(("path", "number"), [("none", errno.ENOENT), (".", errno.EISDIR), ("a\0b", errno.EINVAL)])
def test_an_unreadable_path_is_an_error_of_the_system(tmp_path: Path, path: str, number: int) -> None:
    assert refused(tmp_path / path).errno == number
