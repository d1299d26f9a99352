"""Becomes the embedded server, and dies with the process that wanted it. Run as a program of its own.

``launch.py PARENT_PID PROGRAM ARGUMENT…``. What must happen between fork and exec happens here, in a process
with one thread, because Python code there is unsafe in a process with several (``subprocess``,
``preexec_fn``). Imports nothing of the package, so that it starts at once.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2). It outlives the exec, and acts when the *thread* that started this process is gone."""


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent is gone; where it cannot, do nothing."""
    if sys.platform != "linux":
        return
    # SIGKILL loses nothing: what was acknowledged is with the kernel, and a stopped server obeys too.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def main() -> None:
    """Prepare this process, then become the program."""
    os.umask(0o077)
    die_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  # no shell wanted


if __name__ == "__main__":
    main()
