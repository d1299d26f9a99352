"""The heap of glibc, kept small. With another C library nothing happens."""

import ctypes

_M_ARENA_MAX = -8
"""``mallopt(3)``: how many heaps there may be."""
_ARENAS = 2


def share_heaps() -> None:
    """Let threads share two heaps, from before the first of them starts.

    glibc makes eight a core, and what is free in one is of no use to the threads of another. Most threads here wait
    for the interpreter's lock by turns, so they hardly ever wait for a heap's. It overrides ``MALLOC_ARENA_MAX``.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


def return_freed_memory() -> None:
    """Return free memory to the system: glibc keeps what was freed in pieces."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
