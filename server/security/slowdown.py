"""Slows the answers to failed attempts of one address, so that guessing and endless retries cost little.

An address may fail ten times at once, then ten times a second; further answers wait for their turn, two seconds at
most. Good credentials never wait. Bounded: a table of addresses that forgets the oldest, and a number of answers that
may wait together. Any thread may use it.
"""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

MAX_ADDRESSES: Final = 4096
MAX_WAITING: Final = 256
BURST: Final = 10
INTERVAL_S: Final = 0.1
LONGEST_S: Final = 2.0
_IPV6_NETWORK_BITS: Final = 64
"""What one customer has at least (RFC 6177), so addresses within count as one."""


class Slowdown:
    """The failures of every address, as the time at which each would be free of them."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._free_at_s: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MAX_WAITING)

    def count(self, address: str) -> float:
        """Count a failure, and return how many seconds its answer has to wait."""
        now_s, source = self._clock_s(), _source_of(address)
        with self._lock:
            free_at_s = max(self._free_at_s.pop(source, now_s), now_s) + INTERVAL_S
            # What is never waited for need not be remembered.
            self._free_at_s[source] = min(free_at_s, now_s + BURST * INTERVAL_S + LONGEST_S)
            if len(self._free_at_s) > MAX_ADDRESSES:
                self._free_at_s.popitem(last=False)
        return min(max(free_at_s - now_s - BURST * INTERVAL_S, 0.0), LONGEST_S)

    async def wait(self, address: str) -> None:
        """Count a failure and wait; where too many wait already, return at once."""
        pause_s = self.count(address)
        if pause_s and self._waiting.acquire(blocking=False):
            try:
                await asyncio.sleep(pause_s)
            finally:
                self._waiting.release()


def _source_of(address: str) -> str:
    """Return what an address counts as: itself, or its network of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(int(parsed) >> (128 - _IPV6_NETWORK_BITS))
