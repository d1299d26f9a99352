"""A script of the server, run by its digest, and sent whole only to a server that does not have it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from server.store.redis.connection import Connection, Reply, pack
from server.store.redis.errors import is_refusal


class Script:
    """The Lua text of a file beside this one."""

    def __init__(self, name: str) -> None:
        self._text = Path(__file__).with_name(name).read_bytes()
        # EVALSHA names a script by this digest.
        self._digest = hashlib.sha1(self._text, usedforsecurity=False).hexdigest().encode()

    def run(self, connection: Connection, calls: Sequence[tuple[bytes, ...]], deadline_s: float) -> list[Reply]:
        """Run the script for each call (the number of keys, the keys, the arguments), in order. Raises ``StoreError``.

        An error reply is an ``ErrorReply`` in its place.
        """
        replies = connection.exchange(self.packed(calls), len(calls), deadline_s)
        missed = [index for index, reply in enumerate(replies) if is_refusal(reply, "NOSCRIPT")]
        if missed:
            whole = b"".join(self.packed_whole(calls[index]) for index in missed)
            again = connection.exchange(whole, len(missed), deadline_s)
            for index, reply in zip(missed, again, strict=True):
                replies[index] = reply
        return replies

    def packed_whole(self, call: tuple[bytes, ...]) -> bytes:
        """Return the command that runs the script and brings it along."""
        return pack((b"EVAL", self._text, *call))

    def packed(self, calls: Sequence[tuple[bytes, ...]]) -> bytes:
        """Return the commands that run the script by its digest."""
        return b"".join(pack((b"EVALSHA", self._digest, *call)) for call in calls)
