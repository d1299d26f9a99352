"""Read a small file within bounds of size and time: a pipe without a writer or a dead network disk stalls no caller.

Knows nothing of what files contain.
"""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

TIMEOUT_S = 5.0
_CHUNK_BYTES: Final = 1 << 20


def read_bounded(path: Path, max_bytes: int, timeout_s: float | None = None) -> bytes:
    """Return the content of a file. Raises ``OSError``, with ``strerror`` set, also when a bound is exceeded."""
    reading = _Reading(path, max_bytes)
    # A daemon: the system may never return from a read, and must not keep the process from ending.
    thread = threading.Thread(target=reading.run, name="file-reader", daemon=True)
    thread.start()
    timeout_s = TIMEOUT_S if timeout_s is None else timeout_s
    thread.join(timeout_s)
    if thread.is_alive():
        raise OSError(errno.ETIMEDOUT, f"no end of the file within {timeout_s:g} s", str(path))
    if reading.error is not None:
        raise reading.error
    if len(reading.content) > max_bytes:
        raise OSError(errno.EFBIG, f"larger than {max_bytes:,} bytes", str(path))
    return reading.content


class _Reading:
    """One read, and how it ended."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self.content = b""
        self.error: OSError | None = None

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield the content, at most a chunk more than is allowed: no buffer is larger than the file."""
        size = 0
        while size <= self._max_bytes and (chunk := file.read(_CHUNK_BYTES)):
            size += len(chunk)
            yield chunk

    def run(self) -> None:
        try:
            with self._path.open("rb") as file:
                self.content = b"".join(self._chunks(file))
        except OSError as error:
            self.error = error
        except ValueError as error:
            # A path that contains a null character.
            self.error = OSError(errno.EINVAL, str(error), str(self._path))
