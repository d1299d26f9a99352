"""The heap is kept small where the C library knows how, and left alone elsewhere."""

import ctypes
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from server.memory import return_freed_memory, share_heaps

# Each thread allocates for itself at the same time; glibc's own account then says how many heaps that took.
HEAPS_OF_EIGHT_THREADS = """
import ctypes, sys, threading
from server.memory import share_heaps
if sys.argv[1] == "shared":
    share_heaps()
libc, together = ctypes.CDLL(None), threading.Barrier(8)
def allocate():
    together.wait()
    libc.malloc(ctypes.c_size_t(1000))
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w")))
libc.fflush(None)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="this C library is not glibc")
def test_threads_share_two_heaps() -> None:
    unset = {name: value for name, value in os.environ.items() if name not in {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"}}

    def heaps(how: str) -> int:
        command = [sys.executable, "-c", HEAPS_OF_EIGHT_THREADS, how]
        return subprocess.run(command, capture_output=True, check=True, env=unset).stdout.count(b"<heap nr=")

    assert heaps("shared") == 2 < heaps("own")


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    share_heaps()
    return_freed_memory()
