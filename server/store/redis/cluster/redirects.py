"""The answers by which a node of a cluster sends its caller elsewhere."""

import re
from typing import NamedTuple

from server.store.redis.cluster.slots import Node
from server.store.redis.connection import Reply
from server.store.redis.errors import ErrorReply

_REDIRECT = re.compile(r"\b(MOVED|ASK) \d+ (\S*):(\d+)")


class Redirect(NamedTuple):
    """Where to ask instead. ``asking``: for this question only, as the slot is being moved."""

    node: Node
    asking: bool = False


def redirect_of(reply: Reply, asked: Node) -> Redirect | None:
    """Return where a reply sends its caller; None where it does not. A missing host is that of the ``asked`` node."""
    if not isinstance(reply, ErrorReply) or (found := _REDIRECT.search(str(reply))) is None:
        return None
    kind, host, port = found.groups()
    return Redirect(Node(host or asked.host, int(port)), kind == "ASK")
