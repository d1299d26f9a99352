"""Exec a program so that the kernel kills it when the service's process ends. Run as a script of its own.

Usage: ``launch.py PARENT_PID PROGRAM ARGUMENT…``. The work between fork and exec is done in this
single-threaded process, because Python code there is unsafe in a multi-threaded one (see
``subprocess.Popen``, ``preexec_fn``). Imports nothing of the package, so it starts quickly.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2). The setting survives exec, and fires when the parent *thread* that created this process ends."""


def die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends; do nothing where the kernel is not Linux."""
    if sys.platform != "linux":
        return
    # SIGKILL loses nothing: acknowledged writes are with the kernel already. It also ends a stopped process.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent process has ended")


def main() -> None:
    """Prepare this process, then replace it by the program."""
    os.umask(0o077)
    die_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  # no shell wanted


if __name__ == "__main__":
    main()
